"""The base models the service tunes, with their regions, adapter sizes and limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class BaseModel:
    id: str
    tuning_regions: tuple[str, ...]
    serving: Mapping[str, str]  # tuning region to the location of model and endpoint
    answers_in: tuple[str, ...]  # where the untuned model is asked
    adapter_sizes: tuple[int, ...]
    adapter_default: int
    customer_managed_keys: bool


@dataclass(frozen=True)
class Limits:
    training_bytes: int
    training_examples: int
    validation_examples: int
    validation_share_checked_above: int
    validation_share: float


@dataclass(frozen=True)
class Catalog:
    models: Mapping[str, BaseModel]
    retired: Mapping[str, str]
    limits: Limits


def load_catalog() -> Catalog:
    data = json.loads(files(__package__).joinpath("base_models.json").read_text("utf-8"))
    models = [_base_model(entry) for entry in data["models"]]
    return Catalog({model.id: model for model in models}, data["retired"], Limits(**data["limits"]))


def default_epochs(examples: int) -> int:
    """About 300 examples are seen, in one to ten epochs.

    The service too sets epochs by the size of the dataset; its rule is not published and gives
    more of them, which a laptop would pay with hours.
    """
    return min(10, max(1, round(300 / max(1, examples))))


def _base_model(entry: Mapping[str, Any]) -> BaseModel:
    return BaseModel(
        id=entry["id"],
        tuning_regions=tuple(entry["tuning_regions"]),
        serving=entry["serving"],
        answers_in=tuple(entry["answers_in"]),
        adapter_sizes=tuple(entry["adapter_sizes"]),
        adapter_default=entry["adapter_default"],
        customer_managed_keys=entry["customer_managed_keys"],
    )
