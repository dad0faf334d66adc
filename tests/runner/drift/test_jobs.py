"""Jobs that are not as they are recorded, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from jobs.runner.drift import Kind, differences
from tests.runner.drift.sights import body, by_name, job, kinds, labels, model, only, seen
from tests.runner.states import A1, A2, MODEL, entry

OTHER = "projects/1/locations/us-central1/tuningJobs/6"
SUBMITTED = entry(A1, "submitted")


def test_what_is_as_it_is_recorded_is_no_difference() -> None:
    assert kinds(seen(entry(), active=A1)) == []
    assert kinds(seen(SUBMITTED, jobs=by_name(job(SUBMITTED, "RUNNING")))) == []
    assert kinds(seen(entry(A1, "submitting"))) == []


def test_names_may_hold_the_project_s_number_or_its_id() -> None:
    one = entry(job="projects/acme-dev/locations/us-central1/tuningJobs/5")
    assert kinds(seen(one, active=A1, jobs=by_name(job(entry())))) == []


def test_a_job_under_way_that_is_gone_never_ends() -> None:
    found = only(seen(SUBMITTED))
    assert (found.kind, found.resource) == (Kind.JOB_MISSING, SUBMITTED.job)
    assert "`vertune apply --retry a`" in found.advice


def test_of_what_has_ended_a_job_is_missed_only_where_it_is_served() -> None:
    assert kinds(seen(entry(), jobs={})) == []
    assert kinds(seen(entry(A1, "failed"), jobs={})) == []
    assert kinds(seen(entry(), active=A1, jobs={})) == [Kind.JOB_MISSING]


@pytest.mark.parametrize(
    ("since", "long"),
    [
        ({"started": "2026-11-19T11:59:00+00:00"}, True),
        ({"started": "2026-11-19T12:01:00+00:00"}, False),
        ({"created": "2026-11-18T10:00:00+00:00"}, True),
        ({"created": "2026-11-18T10:00:00+00:00", "started": "2026-11-20T09:00:00+00:00"}, False),
    ],
)
def test_a_job_that_runs_for_more_than_a_day_is_told(since: dict[str, str], long: bool) -> None:
    under_way = by_name(job(SUBMITTED, "RUNNING", **since))
    assert kinds(seen(SUBMITTED, jobs=under_way)) == ([Kind.JOB_LONG] if long else [])


def test_a_job_that_has_ended_runs_for_no_time_at_all() -> None:
    ended = by_name(job(entry(), created="2026-11-01T10:00:00+00:00"))
    assert kinds(seen(entry(), active=A1, jobs=ended)) == []


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"])
def test_an_end_that_nobody_recorded_is_recorded_by_apply(state: str) -> None:
    found = only(seen(SUBMITTED, jobs=by_name(job(SUBMITTED, state, error="No room."))))
    assert found.kind is Kind.JOB_ENDED
    assert f"Vertex AI says {state.lower()}: No room." in found.what
    assert found.advice == "`vertune apply` records it"


@pytest.mark.parametrize(
    ("recorded", "state", "advice"),
    [
        ("succeeded", "FAILED", "restore"),
        ("succeeded", "RUNNING", "restore"),
        ("failed", "SUCCEEDED", "`vertune import a "),
        ("cancelled", "SUCCEEDED", "`vertune import a "),
        ("failed", "RUNNING", "`vertune cancel a`"),
        ("cancelled", "CANCELLING", "`vertune cancel a`"),
    ],
)
def test_an_end_that_was_none_is_a_difference(recorded: Any, state: str, advice: str) -> None:
    one = entry(A1, recorded)
    found = only(seen(one, jobs=by_name(job(one, state))))
    assert found.kind is Kind.JOB_DIFFERS
    assert found.advice.startswith(advice)


@pytest.mark.parametrize(
    ("recorded", "state"),
    [("failed", "FAILED"), ("failed", "EXPIRED"), ("failed", "CANCELLED"), ("cancelled", "FAILED")],
)
def test_an_end_in_vain_is_one_under_any_name(recorded: Any, state: str) -> None:
    one = entry(A1, recorded)
    assert kinds(seen(one, jobs=by_name(job(one, state)))) == []


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"vertune-stack": "prod"}, "vertune-stack=prod"),
        ({"vertune-fingerprint": "b" * 40}, f"vertune-fingerprint={'b' * 40}"),
    ],
)
def test_a_job_with_other_labels_is_not_found_again(changed: Any, shown: str) -> None:
    other = replace(job(SUBMITTED, "RUNNING"), labels=labels(SUBMITTED) | changed)
    found = only(seen(SUBMITTED, jobs=by_name(other)))
    assert found.kind is Kind.LABELS
    assert shown in found.what


def test_labels_that_never_were_are_missed_only_of_what_is_under_way() -> None:
    bare = by_name(replace(job(SUBMITTED, "RUNNING"), labels={}))
    assert "has no labels, not" in only(seen(SUBMITTED, jobs=bare)).what
    taken_over = seen(entry(), jobs=by_name(replace(job(entry()), labels={})), models={})
    assert Kind.LABELS not in kinds(taken_over)


def test_two_names_may_share_a_job() -> None:
    first = entry(name="a")
    assert (
        kinds(seen(entry(name="b"), jobs=by_name(job(first)), models=by_name(model(first)))) == []
    )


# Jobs that no entry names


def unrecorded(state: str = "RUNNING", fingerprint: str = A2, **values: Any) -> Any:
    tuned = MODEL if state == "SUCCEEDED" else None
    one = entry(fingerprint, name="b")
    return job(one, state, name=OTHER, tuned_model=tuned, **values)


def test_a_job_of_an_entry_that_was_lost_is_adopted_where_it_is_asked_for() -> None:
    found = only(seen(jobs=by_name(unrecorded()), wanted={"b": A2}))
    assert (found.kind, found.name, found.resource) == (Kind.LOST, "b", OTHER)
    assert found.advice.startswith("`vertune apply` finds it by its labels")


def test_a_job_that_no_spec_asks_for_is_imported() -> None:
    for wanted in ({}, {"b": A1}):
        found = only(seen(jobs=by_name(unrecorded()), wanted=wanted))
        assert found.advice.startswith(f"`vertune import b --job {OTHER}`")


def test_a_job_without_a_name_is_shown_too() -> None:
    bare = unrecorded(labels={"vertune-stack": "dev"})
    assert only(seen(jobs=by_name(bare))).what.startswith("is under way for no name")


def test_jobs_of_other_stacks_and_of_others_are_not_ours() -> None:
    for foreign in ({}, {"vertune-stack": "prod"}):
        assert kinds(seen(jobs=by_name(unrecorded(labels=foreign)))) == []


def test_an_end_in_vain_left_nothing_behind() -> None:
    assert kinds(seen(jobs=by_name(unrecorded("FAILED")))) == []
    assert kinds(seen(jobs=by_name(unrecorded("SUCCEEDED")), models={})) == []


def test_a_tuned_model_without_an_entry_is_told_of_once_beside_its_job() -> None:
    base = seen(entry(name="b"))
    assert kinds(replace(base, recorded={}, bodies={}, jobs=by_name(unrecorded("SUCCEEDED")))) == [
        Kind.LOST
    ]


def test_earlier_tries_are_known() -> None:
    one = entry(A1, "failed", holder="ci:1:ab")
    tried = body(one, previous=[OTHER])
    again = replace(unrecorded(), labels=labels(one))
    assert kinds(seen(one, jobs=by_name(again), bodies={("a", A1): tried})) == []


def test_a_second_job_of_one_tuning_is_paid_for_in_vain() -> None:
    second = replace(unrecorded(), labels=labels(SUBMITTED))
    found = only(seen(SUBMITTED, jobs=by_name(job(SUBMITTED, "RUNNING"), second)))
    assert (found.kind, found.resource) == (Kind.JOB_UNKNOWN, OTHER)
    assert "cancel it" in found.advice


@pytest.mark.parametrize(
    ("recorded", "advice"),
    [
        ("submitted", "`vertune apply --retry a` adopts it"),
        ("failed", "`vertune apply --retry a` adopts it"),
        ("succeeded", "restore an earlier version"),
    ],
)
def test_a_job_in_the_place_of_one_that_is_gone_is_the_one_to_use(
    recorded: Any, advice: str
) -> None:
    one = entry(A1, recorded)
    other = by_name(replace(unrecorded(), labels=labels(one)))
    found = {d.kind: d for d in differences(seen(one, jobs=other))}
    assert found[Kind.JOB_UNKNOWN].advice.startswith(advice)


def test_a_job_that_is_just_being_submitted_is_no_second_one() -> None:
    one = entry(A1, "submitting")
    assert kinds(seen(one, jobs=by_name(replace(unrecorded(), labels=labels(one))))) == []
