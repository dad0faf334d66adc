"""Cancellation: what is in flight ends, as what it really ended is recorded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.cancellation import Cancellation, to_cancel
from jobs.runner.commands import Place
from jobs.runner.entry import Entry
from jobs.runner.errors import RemoteError, VertuneError
from jobs.runner.lease import Lease
from jobs.runner.plan import Action
from tests.conftest import Repository
from tests.runner.states import A1, A2, entry, record
from tests.runner.tuned import (
    begin,
    entries,
    finished,
    idle,
    in_flight,
    planned,
    refused_at_each_call,
)

LONG = Lease(sending=60, acting=30, settling=60)
OVER = Lease(sending=0, acting=30, settling=-30)  # stale at once


def of_cancels(**values: Any) -> Rule:
    return Rule("cancels", method="POST", path="*:cancel", **values)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with idle(tmp_path / "emulator") as running:
        yield running


def cancelled(place: Place, lease: Lease = LONG, seconds: float = 20) -> list[Entry]:
    said: list[str] = []
    one = Cancellation(
        place.ledger, place.vertex, lease, lambda name, text: said.append(text), 0.01, seconds
    )
    return [one.cancel(found) for found in to_cancel(place.ledger.recorded(), "one")]


def written(place: Place, entry: Entry, **values: Any) -> None:
    read = place.ledger.read(entry.name, entry.fingerprint)
    assert read is not None
    place.ledger.update(entry.model_copy(update=values), read[1])


def test_a_job_under_way_ends_and_is_tuned_again_only_when_a_person_asks(
    provisioned: Repository,
) -> None:
    place, _ = in_flight(provisioned, "one")
    (ended,) = cancelled(place)
    assert (ended.state, ended.error) == ("cancelled", "The tuning job was cancelled.")
    assert entries(place, "one") == [ended]
    (change,) = planned(place).changes
    assert change.action is Action.BLOCKED
    assert "--retry one" in change.reason
    assert cancelled(place) == []


def test_a_job_that_succeeds_before_the_service_hears_of_it_is_kept(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, before = in_flight(provisioned, "one")
    emulator.faults.set(of_cancels(hold=True))
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(cancelled, place)
        emulator.faults.wait("cancels")
        begin(emulator)
        until_done(place, before.job or "")
        emulator.faults.clear()
        (ended,) = asking.result()
    assert ended.state == "succeeded"
    assert ended.tuned_model
    assert [change.action for change in planned(place).changes] == [Action.RESUME]


def until_done(place: Place, job: str) -> None:
    while not place.vertex.job(job).done:
        pass


def test_a_lost_answer_is_made_good_by_a_look(provisioned: Repository, emulator: Emulator) -> None:
    place, _ = in_flight(provisioned, "one")
    emulator.faults.set(of_cancels(when="after", cut="rst", nth=1))
    assert [ended.state for ended in cancelled(place)] == ["cancelled"]


def test_a_refusal_is_told_and_the_job_stays_in_flight(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, before = in_flight(provisioned, "one")
    emulator.faults.set(of_cancels(status=403))
    with pytest.raises(RemoteError, match=r"cancelling .*: 403"):
        cancelled(place)
    assert entries(place, "one") == [before]


def test_refused_at_any_call_the_same_command_once_more_finishes(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, _ = in_flight(provisioned, "one")

    for number, (call, done) in enumerate(refused_at_each_call(emulator, lambda: cancelled(place))):
        assert done is (call == "after call 4"), call  # the job itself tells that it acted
        assert finished(lambda: cancelled(place)), call
        assert entries(place, "one")[-1].state == "cancelled", call
        in_flight(provisioned, "one", number + 1)
    assert number + 1 == 2 * 6  # list, entry, job, cancel, job, record
    assert len(place.vertex.jobs({})) == number + 2


def test_a_submission_whose_job_was_lost_is_found_and_ended(provisioned: Repository) -> None:
    place, before = in_flight(provisioned, "one")
    written(place, before, state="submitting", job=None)
    (ended,) = cancelled(place)
    assert (ended.state, ended.job) == ("cancelled", before.job)


def test_a_submission_without_a_job_is_waited_for_until_there_can_be_none(
    provisioned: Repository,
) -> None:
    place, before = in_flight(provisioned, "one")
    lost = [before.job or ""]
    now = place.ledger.clock.stamp()
    written(place, before, state="submitting", job=None, previous=lost, leased=now, lease=None)
    with pytest.raises(VertuneError, match=r"is being submitted by .* run this again in 1\d\d s"):
        cancelled(place)
    (ended,) = cancelled(place, OVER)
    assert (ended.state, ended.error) == ("cancelled", "cancelled; it never had a job")


def test_a_job_that_is_gone_counts_as_failed(provisioned: Repository) -> None:
    place, before = in_flight(provisioned, "one")
    written(place, before, job=f"{before.job}0")
    (ended,) = cancelled(place)
    assert ended.state == "failed"
    assert "is gone" in (ended.error or "")


def test_of_two_jobs_under_way_both_end(provisioned: Repository) -> None:
    place, first = in_flight(provisioned, "one")
    (_, generation) = place.ledger.read("one", first.fingerprint) or (None, 0)
    assert generation
    place.ledger.create(first.model_copy(update={"fingerprint": A2}))
    assert [ended.state for ended in cancelled(place)] == ["cancelled", "cancelled"]


def test_what_is_not_in_flight_is_said_to_be_what_it_is() -> None:
    done = {"a": record(entry(A1))}
    with pytest.raises(VertuneError, match="nothing is in flight as a; the newest is succeeded"):
        to_cancel(done, "a")
    with pytest.raises(VertuneError, match='nothing is recorded as b; did you mean "ab"'):
        to_cancel({"ab": record(entry(A1, name="ab"))} | done, "b")
    with pytest.raises(VertuneError, match="nothing is in flight as a, see"):
        to_cancel({"a": record()}, "a")
    assert to_cancel({"a": record(entry(A1, "cancelled"))}, "a") == []
