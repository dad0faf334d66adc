"""Sights: what drift compares, in few words; as it is recorded unless a test says otherwise."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from jobs.runner import catalog, identity
from jobs.runner.drift import Difference, Kind, Sight, differences
from jobs.runner.drift.sight import key
from jobs.runner.entry import Entry, Recorded, Summary
from jobs.runner.pointer import ALIAS
from jobs.runner.registry import Endpoint, Model
from jobs.runner.vertex import Job
from tests.runner.states import ENDPOINT, MODEL

TODAY = date(2026, 11, 20)
JOB = "projects/1/locations/us-central1/tuningJobs/5"


def labels(entry: Summary) -> dict[str, str]:
    return {
        "vertune-spec": entry.name,
        "vertune-fingerprint": identity.label(entry.fingerprint),
        "vertune-stack": entry.stack,
    }


def job(entry: Summary, state: str = "SUCCEEDED", **values: Any) -> Job:
    tuned = MODEL if state == "SUCCEEDED" else None
    given: dict[str, Any] = {"labels": labels(entry), "tuned_model": tuned}
    return Job(**({"name": entry.job or JOB, "state": state, "detail": None} | given | values))


def model(entry: Summary, *aliases: str, **values: Any) -> Model:
    return Model(
        **({"name": MODEL, "aliases": aliases, "labels": labels(entry), "endpoints": ()} | values)
    )


def endpoint(*deployed: str) -> Endpoint:
    """To which these are deployed."""
    return Endpoint(ENDPOINT, {}, {str(number): one for number, one in enumerate(deployed)})


def body(entry: Summary, **values: Any) -> Entry:
    """What the object of an entry holds."""
    given = {"spec": "jobs/a.yaml", "dataset_uri": "gs://b/train.jsonl", "splits": {"train": 2}}
    fields = entry.model_dump() | {"holder": entry.holder or "ci:1:ab"} | given | values
    return Entry.model_validate(fields)


def seen(*entries: Summary, active: str | None = None, today: date = TODAY, **values: Any) -> Sight:
    """Everything there as it is recorded; `active` is served, of the first entry's name."""
    entries = tuple(e.model_copy(update={"holder": e.holder or "ci:1:ab"}) for e in entries)
    recorded: dict[str, Recorded] = {}
    for one in entries:
        among = {**recorded.get(one.name, Recorded()).entries, one.fingerprint: one}
        served = active if one.name == entries[0].name else None
        recorded[one.name] = Recorded(among, served)
    given: dict[str, Any] = {
        "stack": "dev",
        "bucket": "b",
        "now": datetime.combine(today, time(12), UTC),
        "wanted": {},
        "recorded": recorded,
        "bodies": {(one.name, one.fingerprint): body(one) for one in entries},
        "junk": (),
        "jobs": by_name(*(job(one) for one in entries if one.state == "succeeded")),
        "models": by_name(
            *(
                model(one, *([ALIAS] if active == one.fingerprint else []))
                for one in entries
                if one.tuned_model
            )
        ),
        "endpoints": by_name(endpoint(MODEL)),
        "base_models": catalog.load().base_models,
    }
    return Sight(**(given | values))


def by_name(*found: Any) -> Mapping[str, Any]:
    return {key(one.name): one for one in found}


def kinds(seen: Sight) -> list[Kind]:
    return [one.kind for one in differences(seen)]


def only(seen: Sight) -> Difference:
    (one,) = differences(seen)
    return one
