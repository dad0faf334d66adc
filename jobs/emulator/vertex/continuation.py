"""Continuation: the tuned model a tuning starts from, in place of a base model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.emulator.errors import rpc_error
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.names import ModelName, Names, Place, read_model_name
from jobs.emulator.vertex.registry import Registry

_FIELDS = frozenset({"tuned_model_name", "checkpoint_id", "base_model"})
_GOOGLES = "publishers/google/models/"


@dataclass(frozen=True)
class Continued:
    """What is there to continue, all of it resolved when the job is created."""

    version: ModelName
    checkpoint: str
    base_model: str
    display_name: str
    adapter_size: str | None  # None of what an earlier emulator tuned

    def wire(self) -> dict[str, str]:
        return {
            "tunedModelName": f"{self.version}@{self.version.version}",
            "checkpointId": self.checkpoint,
            "baseModel": self.base_model,
        }


class Continuation:
    def __init__(self, registry: Registry, names: Names, trainer: str) -> None:
        self._registry, self._names, self._trainer = registry, names, trainer

    def resolve(self, asked: Fields, place: Place) -> Continued:
        """Version and checkpoint, by default the default ones; they must exist."""
        asked.only(_FIELDS)
        name = self._names.model_named(asked.text("tuned_model_name"))
        if name.place.project != place.project:
            raise rpc_error("INVALID_ARGUMENT", f"{name} is not of the tuning job's project.")
        version = self._registry.get(name)
        checkpoint = asked.text("checkpoint_id") or version["defaultCheckpointId"]
        adapter = self._registry.adapters(name, version).get(checkpoint)
        if adapter is None:
            fault = f"Checkpoint {checkpoint!r} does not exist."
            raise rpc_error(
                "INVALID_ARGUMENT", fault, violations={asked.path("checkpoint_id"): fault}
            )
        numbered = replace(name, version=version["versionId"])
        self._registry.adapter(numbered, checkpoint, self._trainer)  # another's cannot be read
        source = version["baseModelSource"]["genieSource"]["baseModelUri"]
        return Continued(
            numbered,
            checkpoint,
            source.removeprefix(_GOOGLES),
            version["displayName"],
            adapter.get("adapterSize"),
        )

    def folder(self, job: Mapping[str, Any]) -> Path | None:
        """Where the checkpoint lies that a job continues, if it does."""
        asked = job.get("preTunedModel")
        if asked is None:
            return None
        name = read_model_name(asked["tunedModelName"])
        return self._registry.adapter(name, asked["checkpointId"], self._trainer)

    def parent(self, job: Mapping[str, Any]) -> ModelName | None:
        """The model a job makes a version of: the one it continues, unless a new name was given."""
        asked = job.get("preTunedModel")
        if asked is None:
            return None
        name = read_model_name(asked["tunedModelName"])
        version = self._registry.find(name)
        if version is None or version["displayName"] != job["tunedModelDisplayName"]:
            return None
        return name


def base_model(job: Mapping[str, Any]) -> str:
    return str(job.get("baseModel") or job["preTunedModel"]["baseModel"])


def check_continued(job: Fields, continued: Continued, served_in: str) -> None:
    if continued.version.place.location != served_in:
        raise rpc_error(
            "FAILED_PRECONDITION",
            f"{continued.version} cannot be tuned on here, but models of location {served_in}.",
        )
    hyper_parameters = job.message("supervised_tuning_spec").message("hyper_parameters")
    size = hyper_parameters.enum("adapter_size", enums.ADAPTER_SIZE)
    if size not in (enums.ADAPTER_SIZE[0], continued.adapter_size or size):
        fault = f"The adapter size must be that of the pre-tuned model, {continued.adapter_size}."
        path = hyper_parameters.path("adapter_size")
        raise rpc_error("INVALID_ARGUMENT", fault, violations={path: fault})


def settled(inputs: dict[str, Any], continued: Continued) -> dict[str, Any]:
    """What the pre-tuned model settles, where the job says nothing."""
    spec = inputs["supervisedTuningSpec"]
    if continued.adapter_size:
        sized = {"adapterSize": continued.adapter_size, **spec["hyperParameters"]}
        spec = {**spec, "hyperParameters": sized}
    name = inputs.get("tunedModelDisplayName", continued.display_name)
    wire = {"preTunedModel": continued.wire(), "tunedModelDisplayName": name}
    return {**wire, "supervisedTuningSpec": spec}
