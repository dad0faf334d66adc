"""Drift: what is recorded against what is observed, and the ledger against itself; pure."""

from collections.abc import Iterator

from jobs.runner.drift.difference import Difference, Kind
from jobs.runner.drift.jobs import of_jobs
from jobs.runner.drift.ledger import of_ledger
from jobs.runner.drift.models import of_models
from jobs.runner.drift.sight import Sight

__all__ = ["Difference", "Kind", "Sight", "differences"]


def differences(seen: Sight) -> list[Difference]:
    """All there are, by name; none at all means that nothing has drifted."""
    return sorted(_all(seen), key=lambda one: (one.name, one.kind.value, one.resource))


def _all(seen: Sight) -> Iterator[Difference]:
    yield from of_ledger(seen)
    yield from of_jobs(seen)
    yield from of_models(seen)
