"""Health: how a tuning fares, row by row of the table in the module."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jobs.runner import catalog
from jobs.runner.health import Fares, Health, Observed, Progress, health
from jobs.runner.ledger import Recorded, Summary
from jobs.runner.plan import Desired
from jobs.runner.vertex import Job
from tests.runner.states import A1, A2, entry, record, score, wanted

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FACTS = catalog.load().base_models["gemini-3.1-flash-lite"]
JOB = str(entry(A1, "submitted").job)
RETIRES = date(2027, 5, 7)


def job(state: str, detail: str | None = None, **values: Any) -> Job:
    return Job(JOB, state, detail, {}, **values)


def fares(
    one: Summary,
    *asked: Job | None,
    desired: Desired | None = None,
    among: Recorded | None = None,
    now: datetime = NOW,
) -> Fares:
    """Of an entry; `asked` is what Vertex AI said of its job, if it was asked."""
    observed = Observed(dict.fromkeys([JOB], asked[0]) if asked else {}, now)
    return health(one, among or record(one), desired or wanted(), observed, FACTS)


def test_a_submission_names_who_is_at_it_and_since_when() -> None:
    one = entry(A1, "submitting", holder="ci:7:ab", leased="2026-11-20T11:58:30.123+00:00")
    found = fares(one)
    assert found.health is Health.SUBMITTING
    assert found.detail == "by ci:7:ab since 2026-11-20 11:58 UTC"
    assert found.under_way


def test_what_was_submitted_is_just_that_until_somebody_asks() -> None:
    found = fares(entry(A1, "submitted"))
    assert (found.health, found.under_way) == (Health.SUBMITTED, True)
    assert "--live" in (found.advice or "")


@pytest.mark.parametrize(
    ("said", "expected", "detail"),
    [
        (job("QUEUED"), Health.QUEUED, "at the service: queued"),
        (job("PENDING", "PROCESSING_DATASET"), Health.QUEUED, "at the service: processing dataset"),
        (job("QUEUED", "WAITING_FOR_QUOTA"), Health.WAITING, "it begins once others have ended"),
        (job("RUNNING", "WAITING_FOR_QUOTA"), Health.WAITING, "it begins once others have ended"),
        (job("RUNNING", "WAITING_FOR_CAPACITY"), Health.RUNNING, "waiting for capacity"),
        (job("RUNNING", "TUNING"), Health.RUNNING, "tuning"),
        (job("PAUSED"), Health.RUNNING, "paused"),
        (job("CANCELLING"), Health.RUNNING, "cancelling"),
    ],
)
def test_a_job_that_has_not_ended_is_what_the_service_says(
    said: Job, expected: Health, detail: str
) -> None:
    found = fares(entry(A1, "submitted"), said)
    assert (found.health, found.detail, found.under_way) == (expected, detail, True)


@pytest.mark.parametrize(
    ("said", "expected", "detail"),
    [
        (job("SUCCEEDED"), Health.TUNED, "the job has succeeded"),
        (job("FAILED", error="No room."), Health.FAILED, "No room."),
        (job("EXPIRED"), Health.FAILED, "the service ended it as EXPIRED"),
        (job("CANCELLED"), Health.CANCELLED, None),
        (None, Health.MISSING, "Vertex AI has no such job"),
    ],
)
def test_a_job_that_has_ended_is_to_be_recorded(
    said: Job | None, expected: Health, detail: str | None
) -> None:
    found = fares(entry(A1, "submitted"), said)
    assert (found.health, found.detail, found.under_way) == (expected, detail, False)
    assert "`vertune apply` records" in (found.advice or "")


def test_the_time_that_remains_is_what_the_steps_before_took() -> None:
    started = (NOW - timedelta(minutes=10)).isoformat()
    found = fares(entry(A1, "submitted"), job("RUNNING", step=30, steps=120, started=started))
    assert found.progress == Progress(30, 120, 1800.0)
    assert found.progress.percent == 25


@pytest.mark.parametrize(
    ("values", "progress"),
    [
        ({}, None),
        ({"step": 0, "steps": 120, "started": "2026-11-20T11:00:00+00:00"}, Progress(0, 120)),
        ({"step": 5, "steps": None}, Progress(5, None)),
        ({"step": 5, "steps": 9}, Progress(5, 9)),
        (
            {"step": 9, "steps": 9, "started": "2026-11-20T11:00:00+00:00"},
            Progress(9, 9, 0.0),
        ),
        (
            {"step": 3, "steps": 9, "started": "2026-11-20T13:00:00+00:00"},
            Progress(3, 9, 0.0),
        ),
    ],
)
def test_no_time_is_made_up(values: dict[str, Any], progress: Progress | None) -> None:
    assert fares(entry(A1, "submitted"), job("RUNNING", **values)).progress == progress


def test_no_share_is_made_up() -> None:
    assert Progress(5, None).percent is None


def test_a_failure_has_the_service_s_reason_and_the_way_on() -> None:
    found = fares(entry(A1, "failed", error="No room."))
    assert (found.health, found.detail) == (Health.FAILED, "No room.")
    assert found.advice == "mend the cause, then `vertune apply --retry a` tunes it again"


def test_what_was_cancelled_can_be_asked_for_again() -> None:
    found = fares(entry(A1, "cancelled"))
    assert (found.health, found.advice) == (
        Health.CANCELLED,
        "`vertune apply --retry a` tunes it again",
    )


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_nobody_is_told_to_ask_again_for_what_no_spec_asks_for(state: Any) -> None:
    for desired in (wanted(fingerprint=A2), wanted(pin=A1[:12])):
        assert fares(entry(A1, state), desired=desired).advice is None
    observed = Observed({}, NOW)
    one = entry(A1, state)
    assert health(one, record(one), None, observed, None).advice is None


def test_what_is_served_is_served_until_its_base_model_is_near_its_end() -> None:
    one = entry()
    found = fares(one, among=record(one, active=A1))
    assert (found.health, found.detail, found.retires) == (Health.SERVED, None, RETIRES)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2027, 2, 5), Health.SERVED),
        (date(2027, 2, 6), Health.EXPIRING),
        (date(2027, 5, 6), Health.EXPIRING),
        (date(2027, 5, 7), Health.RETIRED),
        (date(2028, 1, 1), Health.RETIRED),
    ],
)
def test_a_base_model_expires_within_ninety_days_and_then_is_retired(
    today: date, expected: Health
) -> None:
    one = entry()
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    found = fares(one, among=record(one, active=A1), now=now)
    assert found.health is expected
    if expected is not Health.SERVED:
        assert "2027-05-07" in (found.detail or "")
        assert "`vertune models`" in (found.advice or "")


def test_only_what_is_served_from_google_cloud_expires() -> None:
    late = datetime(2030, 1, 1, tzinfo=UTC)
    simulated = entry(stand_in="SmolLM2-135M-Instruct")
    assert fares(simulated, among=record(simulated, active=A1), now=late).health is Health.SERVED
    assert fares(entry(), now=late).health is Health.TUNED
    one = entry()
    unknown = health(one, record(one, active=A1), wanted(), Observed({}, late), None)
    assert unknown.health is Health.SERVED


@pytest.mark.parametrize(
    ("active", "scored", "detail"),
    [
        (None, score(0.4), "reached 0.400, its mark is 0.9; not served"),
        (A1, score(0.4), "reached 0.400, its mark is 0.9; served all the same"),
        (None, None, "not scored, its mark is 0.9; not served"),
    ],
)
def test_a_tuned_model_below_its_mark_says_by_how_much(
    active: str | None, scored: Any, detail: str
) -> None:
    one = entry(score=scored)
    found = fares(one, desired=wanted(at_least=0.9), among=record(one, active=active))
    assert (found.health, found.detail) == (Health.BELOW, detail)


def test_the_mark_is_that_of_what_the_spec_asks_for() -> None:
    one = entry(A2, score=score(0.4))
    assert fares(one, desired=wanted(at_least=0.9)).health is Health.TUNED
    pinned = wanted(at_least=0.9, pin=A2[:12])
    assert fares(one, desired=pinned).health is Health.BELOW


def test_what_a_rollback_took_back_is_rolled_back() -> None:
    new, old = entry(A1), entry(A2)
    among = Recorded({A1: new, A2: old}, active=A2, instead_of=A1)
    assert fares(new, among=among).health is Health.ROLLED_BACK
    assert fares(old, among=among).health is Health.SERVED


def test_what_is_tuned_and_not_served_is_just_that() -> None:
    assert fares(entry()) == Fares(Health.TUNED)


def test_a_served_one_that_is_worse_than_its_base_model_says_so_where_no_mark_is_set() -> None:
    one = entry(score=score(0.4))
    among = record(one, active=A1)
    found = fares(one, among=among)
    assert (found.health, found.detail) == (
        Health.SERVED,
        "scores 0.400 by accuracy, less than its base model's 0.500",
    )
    assert "evaluation.at_least" in (found.advice or "")
    assert fares(one, desired=wanted(at_least=0.3), among=among).detail is None
