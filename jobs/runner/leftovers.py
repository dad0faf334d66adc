"""Leftovers: recorded tunings and datasets that no spec, no pin and no served pointer needs; pure.

needed   in flight, served, asked for or pinned by a spec, taken back by a rollback,
         the newest few that succeeded under each name, what is too young,
         and other versions of a tuned model that is needed in one
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from jobs.runner.ledger import Recorded, Summary
from jobs.runner.plan import Desired

_DAY = 24 * 60 * 60.0

Age = Callable[[str], float]  # of a time stamp, in seconds


@dataclass(frozen=True)
class Keep:
    """What is kept though nothing points at it."""

    newest: int  # of those that succeeded, by name, besides the served one; 0: nothing in reserve
    days: float  # whatever is younger


def leftovers(
    recorded: Mapping[str, Recorded], desired: Collection[Desired], keep: Keep, age: Age
) -> dict[tuple[str, str], str]:
    """Why each tuning, by name and fingerprint, is needed by nobody; the newest first."""
    held = kept(recorded, desired, keep, age)
    ordered = sorted((entry for entry in _others(recorded, held)), key=_order, reverse=True)
    return {(entry.name, entry.fingerprint): _why(entry) for entry in ordered}


def kept(
    recorded: Mapping[str, Recorded], desired: Collection[Desired], keep: Keep, age: Age
) -> dict[tuple[str, str], str]:
    """What each of the other tunings is kept by."""
    asked = _Asked.of(desired)
    held: dict[tuple[str, str], str] = {}
    for name, record in sorted(recorded.items()):
        newest = _newest(record, keep.newest)
        for entry in sorted(record.entries.values(), key=_order):
            if why := _needed(entry, record, newest, asked, keep, age):
                held[name, entry.fingerprint] = why
    return held | _versions(recorded, held)


def _needed(
    entry: Summary,
    record: Recorded,
    newest: Collection[str],
    asked: _Asked,
    keep: Keep,
    age: Age,
) -> str | None:
    if entry.in_flight:
        return "in flight"
    if entry.fingerprint == record.active:
        return "served"
    if entry.fingerprint == record.instead_of and keep.newest:
        return "taken back by a rollback that stands (--keep 0 lets it go)"
    if why := asked.by(entry.fingerprint):
        return why
    if entry.fingerprint in newest:
        return f"among the newest {keep.newest} of a name beside the served one (--keep)"
    if age(_since(entry)) < keep.days * _DAY:
        return f"younger than {keep.days:g} days (--older-than)"
    return None


def _versions(
    recorded: Mapping[str, Recorded], held: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Of a model that is needed in one version no other version goes."""
    versions: dict[str | None, set[str | None]] = {}
    for entry in _of(recorded, held):
        versions.setdefault(_model(entry), set()).add(entry.tuned_model)
    return {
        (entry.name, entry.fingerprint): "a version of a tuned model that is kept in another one"
        for entry in _others(recorded, held)
        if not versions.get(_model(entry), set()) <= {entry.tuned_model}
    }


@dataclass(frozen=True)
class _Asked:
    """What specs ask for, and what they pin, by the name of a spec."""

    fingerprints: Mapping[str, str]
    pins: Mapping[str, str]

    @classmethod
    def of(cls, desired: Collection[Desired]) -> _Asked:
        return cls(
            {one.fingerprint: one.name for one in desired if not one.pin},
            {one.pin: one.name for one in desired if one.pin},
        )

    def by(self, fingerprint: str) -> str | None:
        if name := self.fingerprints.get(fingerprint):
            return f"asked for by the spec {name}"
        pins = (name for pin, name in self.pins.items() if fingerprint.startswith(pin))
        return next((f"pinned by the spec {name}" for name in pins), None)


def datasets(
    recorded: Mapping[str, Recorded],
    desired: Collection[Desired],
    gone: Collection[tuple[str, str]],
) -> set[str]:
    """The digests of datasets that are needed once some tunings are gone."""
    every = [*(entry.inputs for entry in _others(recorded, gone)), *(one.inputs for one in desired)]
    return {str(inputs.get("dataset")) for inputs in every}


def _others(
    recorded: Mapping[str, Recorded], gone: Collection[tuple[str, str]]
) -> Iterator[Summary]:
    for name, record in recorded.items():
        for entry in record.entries.values():
            if (name, entry.fingerprint) not in gone:
                yield entry


def _of(recorded: Mapping[str, Recorded], keys: Collection[tuple[str, str]]) -> Iterator[Summary]:
    for name, record in recorded.items():
        for entry in record.entries.values():
            if (name, entry.fingerprint) in keys:
                yield entry


def _model(entry: Summary) -> str | None:
    """Without its version: what went on from another is the next version of the same model."""
    return entry.tuned_model and entry.tuned_model.partition("@")[0]


def _newest(record: Recorded, count: int) -> set[str]:
    """Of those that succeeded and are not served."""
    done = [e for e in record.entries.values() if e.state == "succeeded"]
    spare = sorted((e for e in done if e.fingerprint != record.active), key=_order, reverse=True)
    return {e.fingerprint for e in spare[:count]}


def _order(entry: Summary) -> tuple[str, str]:
    return entry.created, entry.fingerprint


def _since(entry: Summary) -> str:
    return entry.finished or entry.created


def _why(entry: Summary) -> str:
    what = "not served" if entry.state == "succeeded" else entry.state
    return f"{what}, and no spec asks for it"
