"""Plan: what is to be done, as values: the changes in their order, and what each is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jobs.runner.estimate import Estimate
from jobs.runner.ledger import Summary


class Action(Enum):
    """What happens to one name; the value is its sign in a plan."""

    RESUME = ">"
    REUSE = "="
    COPY = "^"
    SUBMIT = "+"
    RETRAIN = "~"
    WAIT = "…"
    FORGET = "-"
    BLOCKED = "!"

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def tunes(self) -> bool:
        """Whether it submits a job, which costs money."""
        return self in (Action.SUBMIT, Action.RETRAIN)


@dataclass(frozen=True)
class Desired:
    """What a spec asks for, resolved: its dataset read, its fingerprint known."""

    name: str
    fingerprint: str
    inputs: Mapping[str, Any]
    estimate: Estimate
    examples: int
    location: str
    serving_location: str
    at_least: float | None = None
    metric: str | None = None  # what it is scored by; None where there is no test split
    refusals: Mapping[str, str] = field(default_factory=dict)  # guard -> why it is not submitted
    priority: int = 0  # of those that wait, higher ones go first
    continues: str | None = None  # the name of the spec whose tuned model it goes on from
    kms_key: str | None = None  # what the tuned model is encrypted with, if not with Google's
    copies: bool = False  # whether the stack before has its tuned model copied instead of tuned
    pin: str | None = None  # how the fingerprint to be served begins; nothing is tuned then
    places: Mapping[str, str] = field(default_factory=dict)  # input -> path:line it came from


@dataclass(frozen=True)
class Change:
    """One action on one name, with a reason a person can read."""

    action: Action
    name: str
    reason: str
    fingerprint: str
    desired: Desired | None = None
    source: Summary | None = None  # the entry a resume finishes, a reuse serves, a copy is of
    parent: Summary | None = None  # the entry whose tuned model it goes on from
    then: Action | None = None  # what a change that waits becomes
    instead_of: str | None = None  # what stays taken back by a rollback, once this is served

    @property
    def costs(self) -> bool:
        """Whether it submits a job, now or once it need not wait any more."""
        return self.action.tunes or (self.then is not None and self.then.tunes)

    @property
    def priced(self) -> bool:
        """Whether its price is told: of what is blocked as well, but never of a copy."""
        if self.action is Action.BLOCKED:
            return not (self.desired and self.desired.copies)
        return self.action.tunes


@dataclass(frozen=True)
class Plan:
    """The changes in the order they are done; falsy when there is nothing to do."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def blocked(self) -> tuple[Change, ...]:
        """What is not done now: it needs a person, or another tuning first."""
        return tuple(c for c in self.changes if c.action in (Action.WAIT, Action.BLOCKED))

    @property
    def now(self) -> tuple[Change, ...]:
        """What is done now."""
        return tuple(c for c in self.changes if c.action not in (Action.WAIT, Action.BLOCKED))

    @property
    def tunes(self) -> bool:
        """Whether it costs money."""
        return any(change.costs for change in self.changes)

    @property
    def price_usd(self) -> float | None:
        """The sum of what is to be tuned, None as soon as one price is unknown."""
        prices = [c.desired.estimate.price_usd for c in self.changes if c.costs and c.desired]
        known = [price for price in prices if price is not None]
        return float(sum(known)) if len(known) == len(prices) else None
