"""Entry: one recorded tuning, whole or in short, and what is recorded of one name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1
_LONGEST_ERROR = 500  # characters; metadata holds 8 KiB in all

EntryState = Literal["submitting", "submitted", "succeeded", "failed", "cancelled"]
IN_FLIGHT: tuple[EntryState, ...] = ("submitting", "submitted")


class Score(BaseModel):
    """One metric over the `n` test examples, of the tuned and of the base model; 0 to 1."""

    model_config = ConfigDict(frozen=True)

    metric: str
    n: int
    tuned: float
    base: float
    low: float  # 95 % interval of `tuned`
    high: float
    # Where it was measured, if not in the stack of its entry.
    stack: str | None = Field(default=None, exclude_if=lambda stack: stack is None)


class Copied(BaseModel):
    """What a tuned model is a copy of: a stack's, which goes on having it."""

    model_config = ConfigDict(frozen=True)

    stack: str
    tuned_model: str

    def __str__(self) -> str:
        return f"{self.tuned_model} of stack {self.stack}"


class Summary(BaseModel):
    """What a plan, a status and the outputs need of an entry; small enough for object metadata."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    name: str
    fingerprint: str
    stack: str
    state: EntryState
    inputs: dict[str, Any]
    created: str
    holder: str | None = None  # who submits: host, process and a random part
    leased: str | None = None  # when its holder claimed the submission, by the service's clock
    started: str | None = None
    finished: str | None = None
    epochs: int | None = None  # as ordered, or as the service chose them
    estimated_tokens: int | None = None  # of all epochs, by the text alone
    epoch_tokens: int | None = None  # the same of one epoch: how many there are may be seen later
    billed_tokens: int | None = None  # as the service's statistics say
    usd_per_million: float | None = None  # the price on the day it was submitted
    job: str | None = None
    previous: list[str] = []  # jobs of earlier, failed tries
    location: str | None = None
    tuned_model: str | None = None
    endpoint: str | None = None
    stand_in: str | None = None  # the local model that plays the base model, on the emulator only
    copied: Copied | None = None
    score: Score | None = None
    error: str | None = None

    @property
    def in_flight(self) -> bool:
        return self.state in IN_FLIGHT

    def passes(self, at_least: float | None) -> bool:
        return at_least is None or (self.score is not None and self.score.tuned >= at_least)


class Entry(Summary):
    """One recorded tuning, whole."""

    spec: str  # path of the spec it came from
    holder: str
    pre_tuned_model: str | None = None  # the tuned model that it goes on from
    lease: float | None = None  # seconds from `leased` on, as its holder keeps it
    imported: bool = False  # not submitted here: its inputs are what the service says, or a person
    dataset_uri: str
    splits: dict[str, int]  # examples by split
    tested: list[str] = []  # of the test split, which is never uploaded: see sketch
    labels: dict[str, str] = {}  # of the spec
    prompt: dict[str, str | None] = {}
    checkpoints: list[dict[str, Any]] = []
    statistics: dict[str, Any] = {}

    @property
    def validation_uri(self) -> str | None:
        """Beside the training examples, where they were uploaded from here."""
        if self.imported or "validation" not in self.splits:
            return None
        return f"{self.dataset_uri.rpartition('/')[0]}/validation.jsonl"

    def summary(self) -> str:
        """As JSON for the object's metadata, where a service's long complaint has no room."""
        short = self.model_copy(update={"error": self.error and self.error[:_LONGEST_ERROR]})
        return short.model_dump_json(include=set(Summary.model_fields), exclude_none=True)


@dataclass(frozen=True)
class Recorded:
    """All entries of one name, which of them is served, and which a rollback took back."""

    entries: Mapping[str, Summary] = field(default_factory=dict)
    active: str | None = None
    instead_of: str | None = None
    aliased: bool = False  # whether the registry's alias has followed

    @property
    def served(self) -> Summary | None:
        return self.entries.get(self.active) if self.active else None
