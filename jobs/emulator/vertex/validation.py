"""The checks a tuning job passes before it exists, with the service's codes and words."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.catalog import BaseModel, Catalog
from jobs.emulator.vertex.continuation import Continuation, Continued, check_continued, settled
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.files import OpenObject, split_uri
from jobs.emulator.vertex.labels import label_faults
from jobs.emulator.vertex.messages import (
    BETA_INPUTS,
    HYPER_PARAMETERS,
    INPUTS,
    OPEN_MODEL_HYPER_PARAMETERS,
    OTHER_METHODS,
    OUTPUTS,
    SPEC,
)
from jobs.emulator.vertex.names import Place

KeyFault = Callable[[str, str], ApiError | None]  # of a key, for the agent of a project's number
Faults = dict[str, str]

_LONGEST_NAME = 128
_HEAD = 1 << 20
_KEY = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


def no_fault(key: str, project: str) -> None:
    """Where there are no keys, none is refused."""


class Validation:
    """Raises what the service would refuse; returns the job's inputs as the service keeps them."""

    def __init__(
        self,
        catalog: Catalog,
        open_object: OpenObject,
        continuation: Continuation,
        key_fault: KeyFault = no_fault,
    ) -> None:
        self._catalog, self._open, self._continuation = catalog, open_object, continuation
        self._key_fault = key_fault

    def job(self, job: Fields, place: Place, beta: bool) -> dict[str, Any]:
        _only_known(job, beta)
        _only_served(job)
        continued = None
        if "pre_tuned_model" in job:
            continued = self._continuation.resolve(job.message("pre_tuned_model"), place)
        base = self._base_model(job, place, continued)
        spec = job.message("supervised_tuning_spec")
        spec.only(SPEC | {"tuning_mode"} if beta else SPEC)
        faults = self._faults(job, spec)
        if faults:
            raise _refusal(faults)
        inputs = _inputs(job, spec)
        return inputs | (settled(inputs, continued) if continued else {"baseModel": base.id})

    def _base_model(self, job: Fields, place: Place, continued: Continued | None) -> BaseModel:
        name = job.text("base_model").removeprefix("publishers/google/models/")
        if continued:
            name = continued.base_model
        base = self._catalog.models.get(name)
        if base is None:
            raise _unknown(name, self._catalog.retired.get(name))
        if place.location not in base.tuning_regions:
            regions = ", ".join(base.tuning_regions)
            raise rpc_error(
                "FAILED_PRECONDITION",
                f"Base model {name} cannot be tuned in location {place.location};"
                f" supported locations: {regions}.",
            )
        if continued:
            check_continued(job, continued, base.serving[place.location])
        if "encryption_spec" in job:
            self._check_key(job.message("encryption_spec"), base, place)
        _check_adapter_size(job, base)
        return base

    def _check_key(self, encryption: Fields, base: BaseModel, place: Place) -> None:
        if not base.customer_managed_keys:
            raise rpc_error(
                "FAILED_PRECONDITION",
                f"Customer-managed encryption keys are not supported for base model {base.id}.",
            )
        key = encryption.text("kms_key_name")
        found = _KEY.fullmatch(key)
        if not found or found[1] != place.location:
            fault = f"The key {key!r} must be a Cloud KMS key in location {place.location}."
            raise rpc_error(
                "INVALID_ARGUMENT", fault, violations={encryption.path("kms_key_name"): fault}
            )
        if error := self._key_fault(key, place.project):
            raise error

    def _faults(self, job: Fields, spec: Fields) -> Faults:
        faults: Faults = {}
        faults |= self._uri_faults(spec, "training_dataset_uri", required=True)
        faults |= self._uri_faults(spec, "validation_dataset_uri", required=False)
        faults |= _hyper_parameter_faults(spec.message("hyper_parameters"))
        if len(job.text("tuned_model_display_name")) > _LONGEST_NAME:
            faults[job.path("tuned_model_display_name")] = (
                f"must be at most {_LONGEST_NAME} characters."
            )
        for fault in label_faults(job.text_map("labels")):
            faults.setdefault(job.path("labels"), fault)
        return faults

    def _uri_faults(self, spec: Fields, name: str, *, required: bool) -> Faults:
        uri = spec.text(name)
        if not uri:
            return {spec.path(name): "Required field is not set."} if required else {}
        fault = self._object_fault(name, uri)
        return {spec.path(name): fault} if fault else {}

    def _object_fault(self, name: str, uri: str) -> str | None:
        wrong_type = f"{name} should be a GCS object of type JSONL."
        location = split_uri(uri)
        if location is None:
            return wrong_type
        stream = self._open(*location)
        if stream is None:
            return f"{uri} does not exist, or the service agent may not read it."
        with stream:
            return None if _looks_like_jsonl(stream.read(_HEAD)) else wrong_type


def _only_known(job: Fields, beta: bool) -> None:
    known = INPUTS | OUTPUTS
    job.only(known | BETA_INPUTS | OTHER_METHODS if beta else known)


def _only_served(job: Fields) -> None:
    for name in sorted(OTHER_METHODS | BETA_INPUTS):
        if name in job:
            raise _not_emulated(name)
    if "supervised_tuning_spec" not in job:
        raise _refusal({job.path("tuning_spec"): "Required field is not set."})
    spec = job.message("supervised_tuning_spec")
    if "evaluation_config" in spec or "tuning_mode" in spec:
        raise _not_emulated("evaluation_config" if "evaluation_config" in spec else "tuning_mode")
    hyper_parameters = spec.message("hyper_parameters")
    for name in sorted(OPEN_MODEL_HYPER_PARAMETERS):
        if name in hyper_parameters:
            raise _not_emulated(name)
    hyper_parameters.only(HYPER_PARAMETERS)
    if "pre_tuned_model" in job and "base_model" in job:
        raise _both_sources()
    if "pre_tuned_model" not in job and not job.text("base_model"):
        raise _refusal({job.path("base_model"): "Required field is not set."})


def _not_emulated(name: str) -> ApiError:
    return rpc_error("UNIMPLEMENTED", f"The emulator does not serve tuning jobs with {name}.")


def _both_sources() -> ApiError:
    fault = "oneof field 'source_model' is already set. Cannot set 'preTunedModel'"
    return rpc_error(
        "INVALID_ARGUMENT",
        f"Invalid value at 'tuning_job' (oneof), {fault}",
        violations={"tuning_job": fault},
    )


def _unknown(name: str, retired: str | None) -> ApiError:
    fault = f"Base model {name} is not supported."
    if retired:
        fault = f"Base model {name} is not supported: it was retired on {retired}."
    return rpc_error("INVALID_ARGUMENT", fault, violations={"tuning_job.base_model": fault})


def _check_adapter_size(job: Fields, base: BaseModel) -> None:
    hyper_parameters = job.message("supervised_tuning_spec").message("hyper_parameters")
    size = hyper_parameters.enum("adapter_size", enums.ADAPTER_SIZE)
    if size != enums.ADAPTER_SIZE[0] and enums.ADAPTER_RANK[size] not in base.adapter_sizes:
        fault = "The adapter size is not supported for this base model."
        path = hyper_parameters.path("adapter_size")
        raise rpc_error("INVALID_ARGUMENT", fault, violations={path: fault})


def _hyper_parameter_faults(hyper_parameters: Fields) -> Faults:
    faults: Faults = {}
    epochs = hyper_parameters.integer("epoch_count")
    if epochs is not None and epochs < 1:
        faults[hyper_parameters.path("epoch_count")] = "epoch_count must be at least 1."
    multiplier = hyper_parameters.number("learning_rate_multiplier")
    if multiplier is not None and not 0 < multiplier < math.inf:
        faults[hyper_parameters.path("learning_rate_multiplier")] = (
            "learning_rate_multiplier must be greater than 0."
        )
    return faults


def _looks_like_jsonl(head: bytes) -> bool:
    """Whether the first line that is not blank is a JSON object; a cut one gets the benefit."""
    line, newline, _ = head.lstrip().partition(b"\n")
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return not newline and len(head) == _HEAD and line.startswith(b"{")


def _inputs(job: Fields, spec: Fields) -> dict[str, Any]:
    kept: dict[str, Any] = {"supervisedTuningSpec": _spec_inputs(spec)}
    for name, wire in (
        ("tuned_model_display_name", "tunedModelDisplayName"),
        ("description", "description"),
        ("service_account", "serviceAccount"),
    ):
        if text := job.text(name):
            kept[wire] = text
    if "encryption_spec" in job:
        kept["encryptionSpec"] = {"kmsKeyName": job.message("encryption_spec").text("kms_key_name")}
    kept["labels"] = job.text_map("labels")
    return kept


def _spec_inputs(spec: Fields) -> dict[str, Any]:
    kept: dict[str, Any] = {"trainingDatasetUri": spec.text("training_dataset_uri")}
    if uri := spec.text("validation_dataset_uri"):
        kept["validationDatasetUri"] = uri
    if spec.flag("export_last_checkpoint_only"):
        kept["exportLastCheckpointOnly"] = True
    kept["hyperParameters"] = _hyper_parameter_inputs(spec.message("hyper_parameters"))
    return kept


def _hyper_parameter_inputs(hyper_parameters: Fields) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    epochs = hyper_parameters.integer("epoch_count")
    if epochs is not None:
        kept["epochCount"] = str(epochs)
    multiplier = hyper_parameters.number("learning_rate_multiplier")
    if multiplier is not None:
        kept["learningRateMultiplier"] = multiplier
    size = hyper_parameters.enum("adapter_size", enums.ADAPTER_SIZE)
    if size != enums.ADAPTER_SIZE[0]:
        kept["adapterSize"] = size
    return kept


def _refusal(faults: Faults) -> ApiError:
    listed = "\t".join(
        f"{number}.Field: {field}; Message: {fault}"
        for number, (field, fault) in enumerate(faults.items(), 1)
    )
    return rpc_error("INVALID_ARGUMENT", f"List of found errors:\t{listed}\t", violations=faults)
