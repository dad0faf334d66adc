"""Desired and recorded states in few words, for tests of what lies between them."""

from collections.abc import Mapping
from typing import Any

from jobs.runner.entry import EntryState, Recorded, Score, Summary
from jobs.runner.estimate import Estimate
from jobs.runner.plan import Desired

A1, A2, A3 = "a1" * 32, "a2" * 32, "a3" * 32

INPUTS = {
    "method": "supervised",
    "base_model": "gemini-3.1-flash-lite",
    "hyperparameters": {"epochs": 3},
    "dataset": "d" * 64,
    "continues": None,
}

MODEL = "projects/1/locations/us/models/7@1"
ENDPOINT = "projects/1/locations/us/endpoints/8"


def wanted(name: str = "a", fingerprint: str = A1, **values: Any) -> Desired:
    """A spec with a test split, unless `metric` is None."""
    given: dict[str, Any] = {
        "inputs": INPUTS,
        "estimate": Estimate(epochs=3, tokens=1000, price_usd=0.09, notes=()),
        "examples": 120,
        "location": "us-central1",
        "serving_location": "us",
        "metric": "accuracy",
    }
    return Desired(name, fingerprint, **(given | values))


def by_name(*desired: Desired) -> dict[str, Desired]:
    return {one.name: one for one in desired}


def score(tuned: float = 0.9, metric: str = "accuracy") -> Score:
    return Score(metric=metric, n=60, tuned=tuned, base=0.5, low=tuned - 0.1, high=tuned + 0.05)


def entry(
    fingerprint: str = A1, state: EntryState = "succeeded", name: str = "a", **values: Any
) -> Summary:
    """An entry with what one of that state has; a succeeded one is scored."""
    given: dict[str, Any] = {"created": "2026-11-20T10:00:00+00:00", "inputs": INPUTS}
    given |= {"stack": "dev"}
    if state != "submitting":
        given |= {"job": "projects/1/locations/us-central1/tuningJobs/5"}
    if state not in ("submitting", "submitted"):
        given |= {"finished": "2026-11-20T11:30:00+00:00"}
    if state == "succeeded":
        given |= {"tuned_model": MODEL, "endpoint": ENDPOINT, "score": score()}
    if state == "failed":
        given |= {"error": "the service ran out of room"}
    given |= values
    return Summary(name=name, fingerprint=fingerprint, state=state, **given)


def record(*entries: Summary, active: str | None = None) -> Recorded:
    return Recorded({one.fingerprint: one for one in entries}, active)


def served(one: Summary, *others: Summary) -> Mapping[str, Recorded]:
    """A ledger of one name, whose first entry is served."""
    return {one.name: record(one, *others, active=one.fingerprint)}
