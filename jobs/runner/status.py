"""Status: where every name stands, on two axes, sync and health; pure.

sync is what a plan makes of a name:

in sync      nothing is to be done
out of sync  something is, for the plan's reason
forgotten    recorded, and no spec of this stack asks for it
foreign      the same, and recorded by another stack
unknown      its spec or its data cannot be read
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from jobs.runner.diff import diff
from jobs.runner.entry import Recorded, Summary
from jobs.runner.health import Fares, Health, Observed, health
from jobs.runner.plan import Action, Change, Desired

if TYPE_CHECKING:
    from jobs.runner.catalog import BaseModelFacts


_DOES = {
    Action.SUBMIT: "submits it",
    Action.RETRAIN: "submits it",
    Action.COPY: "copies it from the stack before, without a new job",
    Action.RESUME: "goes on with it",
    Action.REUSE: "serves it, without a new job",
    Action.FORGET: "drops it from the outputs",
}


class Sync(Enum):
    IN_SYNC = "in sync"
    OUT_OF_SYNC = "out of sync"
    FORGOTTEN = "forgotten"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Status:
    """A name and one of its tunings; `entry` is None where nothing is recorded."""

    name: str
    sync: Sync
    why: str | None  # it is not in sync
    fares: Fares
    entry: Summary | None = None
    served: bool = False


@dataclass(frozen=True)
class States:
    """All that is known: what is desired, recorded and observed."""

    stack: str
    desired: Mapping[str, Desired]
    unreadable: Mapping[str, str]  # a name -> why its spec or its data cannot be read
    recorded: Mapping[str, Recorded]
    observed: Observed
    base_models: Mapping[str, BaseModelFacts]


Shown = Callable[[Recorded], Sequence[Summary]]


def current(record: Recorded) -> list[Summary]:
    """What is served, what is in flight, and what was begun later; older ends are history."""
    entries = sorted(record.entries.values(), key=lambda e: (e.created, e.fingerprint))
    if served := record.served:
        later = [e for e in entries if e.in_flight or e.created > served.created]
        return [served, *(e for e in later if e is not served)]
    tuned = [e for e in entries if e.state == "succeeded"]
    return [e for e in entries if e.in_flight or e in (entries[-1], *tuned[-1:])]


def history(record: Recorded) -> list[Summary]:
    """Every tuning, the newest first."""
    return sorted(record.entries.values(), key=lambda e: (e.created, e.fingerprint), reverse=True)


def statuses(states: States, shown: Shown = current) -> Iterator[Status]:
    """By name; `shown` chooses which tunings of a name are told of."""
    changes = {change.name: change for change in diff(states.desired, states.recorded).changes}
    for name in sorted({*states.desired, *states.unreadable, *states.recorded}):
        record = states.recorded.get(name, Recorded())
        yield from _of(name, record, shown(record), changes.get(name), states)


def _of(
    name: str,
    record: Recorded,
    entries: Sequence[Summary],
    change: Change | None,
    states: States,
) -> Iterator[Status]:
    sync, why = _sync(name, record, change, states)
    advice = _advice(sync, change)
    for entry in entries:
        facts = states.base_models.get(str(entry.inputs.get("base_model")))
        fares = health(entry, record, states.desired.get(name), states.observed, facts)
        if fares.advice is None and _concerns(change, entry, first=entry is entries[0]):
            fares = replace(fares, advice=advice)
        yield Status(name, sync, why, fares, entry, record.active == entry.fingerprint)
    if not entries and name in states.unreadable:
        yield Status(name, sync, why, Fares(Health.UNKNOWN, advice=advice))
    elif not entries and name in states.desired:
        yield Status(name, sync, why, Fares(Health.QUEUED, "not submitted", advice))


def _concerns(change: Change | None, entry: Summary, *, first: bool) -> bool:
    """What is to be done is told once for a name, beside the tuning that it is about."""
    if change is None or change.action is not Action.RESUME:
        return first
    return change.fingerprint == entry.fingerprint


def _sync(
    name: str, record: Recorded, change: Change | None, states: States
) -> tuple[Sync, str | None]:
    if name in states.unreadable:
        return Sync.UNKNOWN, states.unreadable[name]
    if name in states.desired:
        return (Sync.OUT_OF_SYNC, _reason(change)) if change else (Sync.IN_SYNC, None)
    stacks = {entry.stack for entry in record.entries.values()}
    if stacks and states.stack not in stacks:
        return Sync.FOREIGN, f"recorded by stack {', '.join(sorted(stacks))}"
    return Sync.FORGOTTEN, "no spec asks for it"


def _reason(change: Change) -> str:
    """The plan's; where it repeats how the tuning of this name ended, its health says that."""
    source = change.source
    if change.action is not Action.BLOCKED or source is None or source.name != change.name:
        return change.reason
    return "its tuning failed" if source.state == "failed" else "its tuning was cancelled"


def _advice(sync: Sync, change: Change | None) -> str | None:
    if sync is Sync.UNKNOWN:
        return "`vertune check` says what is wrong"
    if sync is Sync.FOREIGN:
        return "give each stack a bucket of its own (vertune:bucket)"
    if change is None or change.action in (Action.WAIT, Action.BLOCKED):
        return None
    return f"`vertune apply` {_DOES[change.action]}"
