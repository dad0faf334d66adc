"""Preparation: reads a job's datasets, resolves what was left open, and counts what it costs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from jobs.emulator.trainer.base import Conversation, Settings
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.catalog import BaseModel, Catalog, Limits, default_epochs
from jobs.emulator.vertex.continuation import Continuation, base_model
from jobs.emulator.vertex.dataset import DatasetError, Examples, read_examples
from jobs.emulator.vertex.files import Files, OpenObject, split_uri
from jobs.emulator.vertex.stats import data_stats


@dataclass(frozen=True)
class Prepared:
    training: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    settings: Settings
    spec: dict[str, Any]  # the job's, with every default resolved
    stats: dict[str, Any]


class Preparation:
    def __init__(
        self,
        catalog: Catalog,
        trainer: TrainerClient,
        open_object: OpenObject,
        continuation: Continuation,
    ) -> None:
        self._catalog, self._trainer, self._open = catalog, trainer, open_object
        self._continuation = continuation

    def prepare(self, job: dict[str, Any]) -> Prepared:
        spec = job["supervisedTuningSpec"]
        training = self._read(spec["trainingDatasetUri"])
        uri = spec.get("validationDatasetUri")
        validation = self._read(uri) if uri else Examples((), {})
        _check_counts(training, validation, self._catalog.limits)
        base = self._catalog.models[base_model(job)]
        settings, resolved = _resolve(spec["hyperParameters"], base, len(training.kept))
        return Prepared(
            training.conversations,
            validation.conversations,
            replace(settings, continue_from=self._continuation.folder(job)),
            {**spec, "hyperParameters": resolved},
            data_stats(training, settings.epochs),
        )

    def _read(self, uri: str) -> Examples:
        stream = self._open(*(split_uri(uri) or ("", "")))
        if stream is None:
            raise DatasetError(f"{uri} no longer exists.")
        with stream:
            lines = _lines(stream, self._catalog.limits.training_bytes, uri)
            context = self._trainer.context_tokens
            count = self._trainer.count_tokens
            return read_examples(lines, uri, count, context, Files(self._open))


def _lines(stream: BinaryIO, limit: int, uri: str) -> Iterator[bytes]:
    size = 0
    for line in stream:
        size += len(line)
        if size > limit:
            raise DatasetError(f"{uri} is larger than {limit} bytes.")
        yield line


def _check_counts(training: Examples, validation: Examples, limits: Limits) -> None:
    count, checked = len(training.kept), len(validation.kept)
    if not training.kept:
        reason = next(iter(training.dropped.values()), "It has no examples.")
        raise DatasetError(f"The training dataset has no valid example: {reason}")
    if count > limits.training_examples:
        raise DatasetError(
            f"The training dataset has more than {limits.training_examples} examples."
        )
    if checked > limits.validation_examples:
        raise DatasetError(
            f"The validation dataset has {checked} examples,"
            f" more than {limits.validation_examples}."
        )
    if checked > max(limits.validation_share_checked_above, limits.validation_share * count):
        raise DatasetError(
            f"The validation dataset has {checked} examples, more than"
            f" {limits.validation_share:.0%} of the {count} training examples."
        )


def _resolve(
    hyper_parameters: dict[str, Any], base: BaseModel, examples: int
) -> tuple[Settings, dict[str, Any]]:
    epochs = int(hyper_parameters.get("epochCount", default_epochs(examples)))
    multiplier = float(hyper_parameters.get("learningRateMultiplier", 1.0))
    size = hyper_parameters.get("adapterSize", enums.ADAPTER_NAME[base.adapter_default])
    resolved = {
        "epochCount": str(epochs),
        "learningRateMultiplier": multiplier,
        "adapterSize": size,
    }
    return Settings(epochs, multiplier, enums.ADAPTER_RANK[size]), resolved
