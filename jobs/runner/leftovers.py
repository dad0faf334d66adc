"""Leftovers: recorded tunings and datasets that no spec, no pin and no served pointer needs; pure.

needed   in flight, served, taken back by a rollback, asked for or pinned by a spec,
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

    newest: int  # of those that succeeded, by name, besides the served one
    days: float  # whatever is younger


def leftovers(
    recorded: Mapping[str, Recorded], desired: Collection[Desired], keep: Keep, age: Age
) -> dict[tuple[str, str], str]:
    """Why each tuning, by name and fingerprint, is needed by nobody; the newest first."""
    found = {
        (name, entry.fingerprint): entry
        for name, record in sorted(recorded.items())
        for entry in _spare(record, keep)
        if not _wanted(entry, desired) and age(_since(entry)) >= keep.days * _DAY
    }
    versions: dict[str | None, set[str | None]] = {}
    for entry in _others(recorded, found):
        versions.setdefault(_model(entry), set()).add(entry.tuned_model)
    alone = {
        key: entry
        for key, entry in found.items()
        if versions.get(_model(entry), set()) <= {entry.tuned_model}
    }
    ordered = sorted(alone.items(), key=lambda item: _order(item[1]), reverse=True)
    return {key: _why(entry) for key, entry in ordered}


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


def _model(entry: Summary) -> str | None:
    """Without its version: what went on from another is the next version of the same model."""
    return entry.tuned_model and entry.tuned_model.partition("@")[0]


def _spare(record: Recorded, keep: Keep) -> Iterator[Summary]:
    """Without what is in flight, pointed at, or among the newest."""
    pointed = (record.active, record.instead_of)
    entries = [e for e in record.entries.values() if not e.in_flight]
    newest = sorted(
        (e for e in entries if e.state == "succeeded" and e.fingerprint != record.active),
        key=_order,
        reverse=True,
    )
    kept = {e.fingerprint for e in newest[: keep.newest]}
    for entry in sorted(entries, key=_order):
        if entry.fingerprint not in pointed and entry.fingerprint not in kept:
            yield entry


def _order(entry: Summary) -> tuple[str, str]:
    return entry.created, entry.fingerprint


def _since(entry: Summary) -> str:
    return entry.finished or entry.created


def _wanted(entry: Summary, desired: Collection[Desired]) -> bool:
    return any(
        entry.fingerprint.startswith(one.pin) if one.pin else entry.fingerprint == one.fingerprint
        for one in desired
    )


def _why(entry: Summary) -> str:
    what = "not served" if entry.state == "succeeded" else entry.state
    return f"{what}, and no spec asks for it"
