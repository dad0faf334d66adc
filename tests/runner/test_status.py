"""Status: sync as the plan has it, health beside it, and which tunings of a name are shown."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from jobs.runner import catalog
from jobs.runner.diff import diff
from jobs.runner.entry import Recorded
from jobs.runner.health import Health, Observed
from jobs.runner.plan import Desired
from jobs.runner.status import States, Status, Sync, current, history, statuses
from tests.runner.states import A1, A2, A3, by_name, entry, record, score, wanted


def states(
    recorded: Mapping[str, Recorded],
    *desired: Desired,
    unreadable: Mapping[str, str] | None = None,
) -> States:
    return States(
        stack="dev",
        desired=by_name(*desired),
        unreadable=unreadable or {},
        recorded=recorded,
        observed=Observed({}, datetime(2026, 11, 20, tzinfo=UTC)),
        base_models=catalog.load().base_models,
    )


def only(recorded: Mapping[str, Recorded], *desired: Desired) -> Status:
    (one,) = statuses(states(recorded, *desired))
    return one


SERVED = {"a": record(entry(), active=A1)}


def test_what_the_spec_asks_for_is_served_and_in_sync() -> None:
    one = only(SERVED, wanted())
    assert (one.sync, one.why, one.fares.health) == (Sync.IN_SYNC, None, Health.SERVED)
    assert (one.served, one.fares.advice) == (True, None)


def test_an_edited_spec_is_out_of_sync_while_the_old_one_is_served() -> None:
    one = only(SERVED, wanted(fingerprint=A2, inputs=dict(entry().inputs) | {"dataset": "e" * 64}))
    assert (one.sync, one.fares.health) == (Sync.OUT_OF_SYNC, Health.SERVED)
    assert one.why == "dataset dddddddddddd → eeeeeeeeeeee"
    assert one.fares.advice == "`vertune apply` submits it"


def test_a_new_spec_is_queued() -> None:
    one = only({}, wanted())
    assert (one.sync, one.why, one.fares.health) == (Sync.OUT_OF_SYNC, "new", Health.QUEUED)
    assert one.entry is None


def test_a_new_spec_that_a_guard_refuses_says_why_and_what_lifts_it() -> None:
    one = only({}, wanted(refusals={"budget": "about $9.00 is over the budget of $2"}))
    assert "--allow budget" in (one.why or "")
    assert one.fares.advice is None


def test_what_is_in_flight_is_out_of_sync_until_it_is_served() -> None:
    one = only({"a": record(entry(A1, "submitted"))}, wanted())
    assert (one.sync, one.why, one.fares.health) == (
        Sync.OUT_OF_SYNC,
        "in flight",
        Health.SUBMITTED,
    )


@pytest.mark.parametrize(
    ("state", "why"), [("failed", "its tuning failed"), ("cancelled", "its tuning was cancelled")]
)
def test_what_ended_in_vain_is_out_of_sync_and_its_reason_is_said_once(
    state: str, why: str
) -> None:
    one = only({"a": record(entry(A1, state))}, wanted())  # type: ignore[arg-type]
    assert (one.sync, one.why) == (Sync.OUT_OF_SYNC, why)
    assert "--retry a" in (one.fares.advice or "")


def test_what_failed_under_another_name_is_told_whole() -> None:
    recorded = {"b": record(entry(A1, "failed", "b", error="No room."))}
    (mine, _) = statuses(states(recorded, wanted()))
    assert "failed as b: No room." in (mine.why or "")


def test_a_tuning_below_its_mark_is_in_sync() -> None:
    one = only({"a": record(entry(score=score(0.1)))}, wanted(at_least=0.9))
    assert (one.sync, one.fares.health) == (Sync.IN_SYNC, Health.BELOW)


def test_a_rollback_is_in_sync() -> None:
    held = Recorded({A1: entry(), A2: entry(A2)}, active=A2, instead_of=A1)
    found = {one.fares.health for one in statuses(states({"a": held}, wanted()), history)}
    assert found == {Health.SERVED, Health.ROLLED_BACK}
    assert {one.sync for one in statuses(states({"a": held}, wanted()))} == {Sync.IN_SYNC}


def test_what_no_spec_asks_for_is_forgotten() -> None:
    assert only({"a": record(entry())}).sync is Sync.FORGOTTEN
    one = only(SERVED)
    assert (one.sync, one.why) == (Sync.FORGOTTEN, "no spec asks for it")
    assert one.fares.advice == "`vertune apply` drops it from the outputs"


def test_what_another_stack_recorded_is_foreign() -> None:
    theirs = entry(stack="prod")
    one = only({"a": record(theirs)})
    assert (one.sync, one.why) == (Sync.FOREIGN, "recorded by stack prod")
    assert only({"a": record(theirs)}, wanted()).sync is not Sync.FOREIGN


def test_a_spec_that_cannot_be_read_keeps_nothing_from_being_shown() -> None:
    unreadable = {"a": "jobs/a.yaml:2: base_modle: is not a key", "b": "jobs/b.yaml: is no YAML"}
    found = list(statuses(states(SERVED, unreadable=unreadable)))
    assert [(one.name, one.sync, one.fares.health) for one in found] == [
        ("a", Sync.UNKNOWN, Health.SERVED),
        ("b", Sync.UNKNOWN, Health.UNKNOWN),
    ]
    assert [one.why for one in found] == list(unreadable.values())
    assert all("`vertune check`" in (one.fares.advice or "") for one in found)


def test_a_name_without_anything_is_not_shown() -> None:
    assert list(statuses(states({"a": Recorded()}))) == []


def test_sync_is_what_the_plan_says() -> None:
    specs = [wanted("a"), wanted("b", A2), wanted("c", A3), wanted("d", A3)]
    recorded = SERVED | {"b": record(entry(A2, "failed", "b"))}
    plan = diff(by_name(*specs), recorded)
    in_sync = {one.name for one in statuses(states(recorded, *specs)) if one.sync is Sync.IN_SYNC}
    assert in_sync == {*plan.unchanged}


def test_what_is_to_be_done_stands_beside_the_tuning_it_is_about() -> None:
    later = "2026-11-21T09:00:00+00:00"
    failed = entry(A2, "failed", created=later)
    among = record(entry(), failed, entry(A3, "submitting", created=later), active=A1)
    found = statuses(states({"a": among}, wanted(fingerprint=A3)))
    assert {one.fares.health: one.fares.advice for one in found} == {
        Health.SERVED: None,
        Health.FAILED: None,
        Health.SUBMITTING: "`vertune apply` goes on with it",
    }


# Which tunings are shown


def test_what_ended_before_the_served_tuning_is_history() -> None:
    old = entry(A2, "failed", created="2026-01-01")
    among = record(entry(A1), old, active=A1)
    assert [one.fingerprint for one in current(among)] == [A1]
    assert [one.fingerprint for one in history(among)] == [A1, A2]


def test_what_was_tuned_later_and_is_not_served_is_shown_beside_what_is() -> None:
    below = entry(A2, score=score(0.1), created="2026-12-01")
    found = list(statuses(states({"a": record(entry(A1), below, active=A1)}, wanted())))
    assert [(one.entry and one.entry.fingerprint, one.served) for one in found] == [
        (A1, True),
        (A2, False),
    ]


def test_what_was_tuned_is_shown_though_a_later_one_failed() -> None:
    tuned, failed = entry(A1, created="2026-01-01"), entry(A2, "failed", created="2026-02-01")
    assert [one.state for one in current(record(failed, tuned))] == ["succeeded", "failed"]


def test_without_a_served_tuning_the_newest_is_shown() -> None:
    old, new = entry(A1, "failed", created="2026-01-01"), entry(A2, "failed", created="2026-02-01")
    assert current(record(old, new)) == [new]
