"""Plan: what is to be done so that what is recorded becomes what is desired; pure.

desired | recorded                        | change
--------|---------------------------------|------------
a1      | -                               | + submit
any     | a1 in flight                    | > resume     adopt and finish what was started first
a1      | a1 succeeded, not yet evaluated | > resume
a1      | a1 served                       |   (none)
a1      | a1 failed or cancelled          | ! blocked    a retry costs money: a person asks for it
a1      | a1 succeeded, below the mark    |   (none)     it is not served; status says so
a2      | a1 finished                     | ~ retrain
a1      | a2 served, a1 succeeded before  | = reuse      points back, no new job
b: a1   | a: a1 succeeded                 | = reuse      another name for the same tuning
-       | a1 served                       | - forget     drops it from the outputs, deletes nothing
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jobs.runner.estimate import Estimate
from jobs.runner.ledger import Recorded, Summary


class Action(Enum):
    """What happens to one name; the value is its sign in a plan."""

    RESUME = ">"
    REUSE = "="
    SUBMIT = "+"
    RETRAIN = "~"
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
    evaluated: bool = True  # whether there is a test split to evaluate on
    refusal: str | None = None  # why it must not be submitted, e.g. over its budget
    places: Mapping[str, str] = field(default_factory=dict)  # input -> path:line it came from


@dataclass(frozen=True)
class Change:
    """One action on one name, with a reason a person can read."""

    action: Action
    name: str
    reason: str
    fingerprint: str
    desired: Desired | None = None
    source: Summary | None = None  # the entry a resume finishes, or a reuse serves


@dataclass(frozen=True)
class Plan:
    """The changes in the order they are done; falsy when there is nothing to do."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.action is Action.BLOCKED)

    @property
    def price_usd(self) -> float | None:
        """The sum of what is to be tuned, None as soon as one price is unknown."""
        prices = [
            c.desired.estimate.price_usd for c in self.changes if c.action.tunes and c.desired
        ]
        known = [price for price in prices if price is not None]
        return sum(known) if len(known) == len(prices) else None


def diff(desired: Mapping[str, Desired], recorded: Mapping[str, Recorded]) -> Plan:
    """What must be done; the same input gives the same plan, in an order that never varies."""
    changes: list[Change] = []
    unchanged: list[str] = []
    for name in sorted({*desired, *recorded}):
        found = _of(desired.get(name), recorded.get(name, Recorded()), name, recorded)
        if found is not None:
            changes.append(found)
        elif name in desired:
            unchanged.append(name)
    order = list(Action)
    changes.sort(key=lambda change: (order.index(change.action), change.name))
    return Plan(tuple(changes), tuple(unchanged))


def _of(
    wanted: Desired | None, record: Recorded, name: str, everything: Mapping[str, Recorded]
) -> Change | None:
    if started := _unfinished(wanted, record):
        return Change(
            Action.RESUME, name, _why_resume(started), started.fingerprint, wanted, started
        )
    if wanted is None:
        return _forget(record, name)
    entry = record.entries.get(wanted.fingerprint)
    if entry is not None:
        return _known(wanted, entry, record)
    if other := _elsewhere(wanted, everything):
        reason = f"the same tuning was done as {other.name}"
        return Change(Action.REUSE, name, reason, wanted.fingerprint, wanted, other)
    return _new(wanted, record)


def _unfinished(wanted: Desired | None, record: Recorded) -> Summary | None:
    if started := [entry for _, entry in sorted(record.entries.items()) if entry.in_flight]:
        return started[0]
    entry = record.entries.get(wanted.fingerprint) if wanted else None
    if wanted and wanted.evaluated and entry and entry.state == "succeeded" and entry.score is None:
        return entry
    return None


def _why_resume(entry: Summary) -> str:
    if entry.state == "succeeded":
        return "tuned, not yet evaluated"
    if entry.state == "submitting":
        return "was being submitted; looked up before anything else"
    return "in flight"


def _forget(record: Recorded, name: str) -> Change | None:
    if record.active is None:
        return None
    reason = "no spec asks for it any more; nothing remote is deleted"
    return Change(Action.FORGET, name, reason, record.active)


def _known(wanted: Desired, entry: Summary, record: Recorded) -> Change | None:
    if entry.state != "succeeded":
        reason = (
            f"{entry.state}: {entry.error or 'no reason given'}; ask with --retry {wanted.name}"
        )
        return Change(Action.BLOCKED, wanted.name, reason, wanted.fingerprint, wanted, entry)
    if record.active == wanted.fingerprint or not entry.passes(wanted.at_least):
        return None
    reason = f"tuned on {(entry.finished or entry.created)[:10]} already; points back, no new job"
    return Change(Action.REUSE, wanted.name, reason, wanted.fingerprint, wanted, entry)


def _elsewhere(wanted: Desired, everything: Mapping[str, Recorded]) -> Summary | None:
    for _, record in sorted(everything.items()):
        entry = record.entries.get(wanted.fingerprint)
        if entry and entry.state == "succeeded":
            return entry
    return None


def _new(wanted: Desired, record: Recorded) -> Change:
    if wanted.refusal:
        return Change(Action.BLOCKED, wanted.name, wanted.refusal, wanted.fingerprint, wanted)
    previous = record.served or _latest(record)
    if previous is None:
        return Change(Action.SUBMIT, wanted.name, "new", wanted.fingerprint, wanted)
    reason = "; ".join(_differences(previous.inputs, wanted)) or "its inputs changed"
    return Change(Action.RETRAIN, wanted.name, reason, wanted.fingerprint, wanted, previous)


def _latest(record: Recorded) -> Summary | None:
    return max(record.entries.values(), key=lambda entry: entry.created, default=None)


def _differences(before: Mapping[str, Any], wanted: Desired) -> Iterator[str]:
    """Each input that differs, with its old and new value and where the new one stands."""
    old, new = _flat(before), _flat(wanted.inputs)
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            place = wanted.places.get(key)
            at = f" ({place})" if place else ""
            yield f"{key} {_short(old.get(key))} → {_short(new.get(key))}{at}"


def _flat(inputs: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in inputs.items() if key != "hyperparameters"}
    return flat | dict(inputs.get("hyperparameters") or {})


def _short(value: Any) -> str:
    text = "default" if value is None else str(value)
    return text[:12] if len(text) == 64 else text
