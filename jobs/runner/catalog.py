"""Catalog: the base models that can be tuned, with limits, prices and retirement, as dated data."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from jobs.runner.document import did_you_mean

NOTICE = timedelta(days=90)  # before a base model's retirement it is told of everywhere

_FILE = Path(__file__).with_name("base_models.yaml")


class BaseModelFacts(BaseModel):
    """Facts of one base model; `price_usd` is for a million training tokens, None if unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    regions: Annotated[tuple[str, ...], Field(min_length=1)]
    serving: Mapping[str, str]  # tuning region -> location the endpoint is served from
    adapter_sizes: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    tokens_per_example: PositiveInt
    training_bytes: PositiveInt
    training_examples: PositiveInt
    validation_examples: PositiveInt
    price_usd: PositiveFloat | None
    price_source: str  # this and the other sources: addresses, by their names in the file
    price_read: date
    price_second_hand: bool = False
    retires: date
    retirement_source: str
    retirement_read: date
    limits_source: str
    limits_read: date
    customer_managed_keys: bool

    def retired(self, today: date) -> bool:
        return today >= self.retires


class Catalog(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    read: date
    sources: Mapping[str, Annotated[str, Field(pattern="^https://")]]
    base_models: Mapping[str, BaseModelFacts]

    @model_validator(mode="after")
    def _sourced(self) -> "Catalog":
        """Each fact has a source that is named, a day that is past, and places that are whole."""
        for name, facts in self.base_models.items():
            sources = {facts.price_source, facts.retirement_source, facts.limits_source}
            if strange := sorted(sources - {*self.sources}):
                raise ValueError(f"{name}: no source is called {', '.join(strange)}")
            if max(facts.price_read, facts.retirement_read, facts.limits_read) > self.read:
                raise ValueError(f"{name}: a fact was read after the catalog was, on {self.read}")
            if {*facts.regions} != {*facts.serving}:
                raise ValueError(f"{name}: regions and the regions in serving differ")
        return self

    def tunable(self, day: date) -> list[str]:
        """The names of those that are not retired."""
        return [name for name, facts in self.base_models.items() if not facts.retired(day)]

    def unknown(self, base_model: str) -> str:
        """Why a name that is not in the catalog is refused."""
        near = did_you_mean(base_model, self.base_models)
        return f'"{base_model}" is no base model that can be tuned{near}'


@cache
def load() -> Catalog:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return read(yaml.load(_FILE.read_text("utf-8"), Loader=loader))


def read(values: object) -> Catalog:
    return Catalog.model_validate(values)
