"""Observation: reads all that drift compares; lists of the service, one of the ledger, its entries.

What a list does not have is asked for by name before it is missing: it may be newer than the list,
and of a tuned model's versions the list has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from jobs.runner import catalog
from jobs.runner.drift.ledger import edited
from jobs.runner.drift.sight import Sight, key
from jobs.runner.entry import Entry, Recorded, Summary
from jobs.runner.errors import JobMissing, Unreadable
from jobs.runner.ledger import Ledger
from jobs.runner.registry import Endpoint, Model, Registry
from jobs.runner.stack import Settings
from jobs.runner.vertex import Job, Vertex, location_of


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)

_AT_ONCE = 8  # entries that are read at the same time


@dataclass(frozen=True)
class Sources:
    stack: str
    settings: Settings
    ledger: Ledger
    vertex: Vertex
    registry: Registry


def observe(sources: Sources, wanted: Mapping[str, str]) -> Sight:
    """`wanted` has the fingerprint that each spec asks for."""
    ledger, registry = sources.ledger, sources.registry
    jobs, models, endpoints = _listed(sources, _entries(ledger.survey()[0]))
    recorded, junk = ledger.survey()  # after the service: what is there has an entry by now
    bodies = _bodies(ledger, recorded)
    if _any_edited(recorded, bodies):
        recorded, junk = ledger.survey()  # they may have been written in between
    entries = _entries(recorded)
    tuned = [entry.tuned_model for entry in entries] + [job.tuned_model for job in jobs.values()]
    return Sight(
        stack=sources.stack,
        bucket=sources.settings.bucket,
        now=ledger.clock.now(),
        wanted=wanted,
        recorded=recorded,
        bodies=bodies,
        junk=tuple(junk),
        jobs=_confirmed(jobs, (entry.job for entry in entries), _job(sources.vertex)),
        models=_confirmed(models, tuned, registry.model),
        endpoints=_confirmed(endpoints, (entry.endpoint for entry in entries), registry.endpoint),
        base_models=catalog.load().base_models,
    )


def _entries(recorded: Mapping[str, Recorded]) -> list[Summary]:
    return [entry for record in recorded.values() for entry in record.entries.values()]


def _listed(
    sources: Sources, entries: list[Summary]
) -> tuple[dict[str, Job], dict[str, Model], dict[str, Endpoint]]:
    """Everything in the locations that the stack uses, or used when an entry was recorded."""
    settings, registry = sources.settings, sources.registry
    tuning = {settings.region, *_locations(entry.job for entry in entries)}
    serving = _locations(entry.tuned_model for entry in entries)
    serving |= {settings.serving_location} if settings.serving_location else _usual(settings)
    parents = [f"projects/{settings.project}/locations/{one}" for one in sorted(serving)]
    jobs = [job for one in sorted(tuning) for job in sources.vertex.at(one).jobs({})]
    models = [model for parent in parents for model in registry.models(parent)]
    endpoints = [endpoint for parent in parents for endpoint in registry.endpoints(parent)]
    return _by_name(jobs), _by_name(models), _by_name(endpoints)


def _locations(names: Iterable[str | None]) -> set[str]:
    """Of those that are names: whoever edits the ledger may write anything."""
    return {location_of(name) for name in names if name and key(name)}


def _usual(settings: Settings) -> set[str]:
    """Where base models that are tuned in the stack's region are served from."""
    today = datetime.now(UTC).date()
    return {
        facts.serving[settings.region]
        for facts in catalog.load().base_models.values()
        if settings.region in facts.serving and not facts.retired(today)
    }


def _by_name(found: Iterable[N]) -> dict[str, N]:
    return {key(one.name): one for one in found}


def _confirmed(
    listed: dict[str, N], names: Iterable[str | None], ask: Callable[[str], N | None]
) -> dict[str, N]:
    missing = {name for name in names if name and key(name) and key(name) not in listed}
    asked = ((key(name), ask(name)) for name in sorted(missing))
    return listed | {name: one for name, one in asked if one is not None}


def _job(vertex: Vertex) -> Callable[[str], Job | None]:
    def ask(name: str) -> Job | None:
        try:
            return vertex.job(name)
        except JobMissing:
            return None

    return ask


def _bodies(ledger: Ledger, recorded: Mapping[str, Recorded]) -> dict[tuple[str, str], Entry | str]:
    """What each entry's object holds, or why that cannot be read; not those that are gone."""

    def read(entry: Summary) -> Entry | str | None:
        try:
            found = ledger.read(entry.name, entry.fingerprint)
        except Unreadable as error:
            return str(error)
        return found[0] if found else None

    entries = _entries(recorded)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = zip(entries, pool.map(read, entries), strict=True)
        return {(one.name, one.fingerprint): body for one, body in found if body is not None}


def _any_edited(
    recorded: Mapping[str, Recorded], bodies: Mapping[tuple[str, str], Entry | str]
) -> bool:
    found = ((entry, bodies.get((entry.name, entry.fingerprint))) for entry in _entries(recorded))
    return any(isinstance(body, Entry) and edited(entry, body) for entry, body in found)
