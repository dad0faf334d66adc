"""Clock: the service's time counts, whatever this machine's says."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from requests import Response

from jobs.emulator.emulator import Emulator
from jobs.runner.clock import Clock
from jobs.runner.ledger import Ledger
from tests.runner.entries import opened


def said(date: str | None) -> Response:
    response = Response()
    if date is not None:
        response.headers["Date"] = date
    return response


def test_before_any_answer_it_is_this_machine_s_time() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=2)


def test_after_an_answer_it_is_the_service_s_time() -> None:
    clock = Clock()
    clock.heard(said("Sun, 06 Nov 1994 08:49:37 GMT"))
    assert timedelta() <= clock.now() - datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert 59 <= clock.age("1994-11-06T08:48:37+00:00") < 61
    assert 59 <= clock.age("1994-11-06T08:48:37") < 61
    assert clock.age("2026-01-01T00:00:00+00:00") == 0


def test_dates_of_whole_seconds_never_set_it_back() -> None:
    clock = Clock()
    clock.heard(said("Sun, 06 Nov 1994 08:49:37 GMT"))
    until = time.monotonic() + 0.01
    while time.monotonic() < until:
        before = clock.now()
        clock.heard(said("Sun, 06 Nov 1994 08:49:37 GMT"))
        assert clock.now() >= before


def test_an_answer_that_was_under_way_when_the_second_changed_does_not_set_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = [0.0]
    monkeypatch.setattr("jobs.runner.clock.steady", lambda: passed[0])
    clock, again = Clock(), said("Sun, 06 Nov 1994 08:49:37 GMT")
    clock.heard(again)
    passed[0], again.elapsed = 1.001, timedelta(milliseconds=5)
    before = clock.now()
    clock.heard(again)
    assert clock.now() == before
    passed[0] = 1.1  # this answer was quicker than that: the clock is wrong
    clock.heard(again)
    assert clock.now() < before


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_an_answer_without_a_date_changes_nothing(date: str | None) -> None:
    clock = Clock()
    clock.heard(said("Sun, 06 Nov 1994 08:49:37 GMT"))
    clock.heard(said(date))
    assert clock.now().year == 1994


def test_a_ledger_hears_it_from_the_bucket_s_answers(emulator: Emulator) -> None:
    bucket = opened(emulator.url)
    ledger = Ledger(bucket)
    ledger.clock.heard(said("Sun, 06 Nov 1994 08:49:37 GMT"))
    bucket.create(location="us-central1")
    assert ledger.recorded() == {}
    assert ledger.clock.now().year >= 2026
