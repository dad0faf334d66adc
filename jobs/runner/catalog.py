"""Catalog: the base models that can be tuned, with limits, prices and retirement, as dated data."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from jobs.runner.document import did_you_mean

_FILE = Path(__file__).with_name("base_models.yaml")


class BaseModelFacts(BaseModel):
    """Facts of one base model; `price_usd` is for a million training tokens, None if unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    regions: tuple[str, ...]
    serving: Mapping[str, str]  # tuning region -> location the endpoint is served from
    adapter_sizes: tuple[int, ...]
    tokens_per_example: int
    training_bytes: int
    training_examples: int
    validation_examples: int
    price_usd: float | None
    price_source: str
    price_read: date
    retires: date
    retirement_source: str
    limits_source: str
    limits_read: date
    customer_managed_keys: bool

    def retired(self, today: date) -> bool:
        return today >= self.retires


class Catalog(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    read: date
    sources: Mapping[str, str]
    base_models: Mapping[str, BaseModelFacts]

    def unknown(self, base_model: str) -> str:
        """Why a name that is not in the catalog is refused."""
        near = did_you_mean(base_model, self.base_models)
        return f'"{base_model}" is no base model that can be tuned{near}'


@cache
def load() -> Catalog:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Catalog.model_validate(yaml.load(_FILE.read_text("utf-8"), Loader=loader))
