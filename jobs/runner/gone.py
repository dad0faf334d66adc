"""Gone: tunings whose tuned model or endpoint is no longer there, and that a person asks for again.

To a plan they have failed. The ledger says so as soon as they are to be tuned again: then the
submission does not take their old job for its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobs.runner.entry import Recorded, Summary
from jobs.runner.ledger import Ledger
from jobs.runner.plan import Plan

if TYPE_CHECKING:
    from jobs.runner.desired import Resolved
    from jobs.runner.registry import Registry


def without(
    recorded: Mapping[str, Recorded],
    resolved: Iterable[Resolved],
    retry: Collection[str],
    registry: Registry,
) -> dict[str, Recorded]:
    """What is recorded, less what is gone of the tunings that `retry` names."""
    asked = {one.desired.fingerprint for one in resolved if one.desired and one.file.name in retry}
    return {name: _less(record, asked, registry) for name, record in recorded.items()}


def _less(record: Recorded, asked: Collection[str], registry: Registry) -> Recorded:
    lost = {
        fingerprint: entry.model_copy(update=_failed(entry))
        for fingerprint, entry in record.entries.items()
        if fingerprint in asked and entry.state == "succeeded" and _gone(entry, registry)
    }
    entries = {**record.entries, **lost}
    return Recorded(entries, record.active, record.instead_of) if lost else record


def _gone(entry: Summary, registry: Registry) -> bool:
    if entry.tuned_model is None or registry.model(entry.tuned_model) is None:
        return True
    return entry.endpoint is not None and registry.endpoint(entry.endpoint) is None


def _failed(entry: Summary) -> dict[str, Any]:
    error = f"its tuned model {entry.tuned_model}, or its endpoint, is gone"
    return {"state": "failed", "error": error, "tuned_model": None, "endpoint": None, "score": None}


def record(ledger: Ledger, plan: Plan, recorded: Mapping[str, Recorded]) -> None:
    """Record as failed what the plan takes as failed, and the ledger still has as succeeded.

    Under all its names: under another one it would seem to be there to be reused.
    """
    again = {source.fingerprint for source in _sources(plan)}
    failed = (
        entry
        for _, record in sorted(recorded.items())
        for entry in record.entries.values()
        if entry.fingerprint in again and entry.state == "failed"
    )
    for taken in failed:
        found = ledger.read(taken.name, taken.fingerprint)
        if found and found[0].state == "succeeded" and found[0].job == taken.job:
            entry, generation = found
            ledger.update(entry.model_copy(update=_failed(entry)), generation)


def _sources(plan: Plan) -> Iterator[Summary]:
    for change in plan.changes:
        source = change.source if change.action.tunes else None
        if source and source.fingerprint == change.fingerprint and source.state == "failed":
            yield source
