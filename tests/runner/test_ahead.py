"""Ahead: results in order, errors where they are asked for, what is cancelled is not done."""

import threading

import pytest

from jobs.runner.ahead import ahead


def test_the_results_come_in_the_order_of_the_calls() -> None:
    calls = [lambda number=number: number for number in range(20)]
    assert [one.result() for one in ahead(calls, 3)] == list(range(20))
    assert ahead([], 3) == []


def test_no_more_calls_run_at_once_than_are_allowed() -> None:
    running, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2)

    def call() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait(timeout=30)
        with lock:
            running[0] -= 1

    for one in ahead([call] * 6, 2):
        one.result(timeout=30)
    assert most == [2]


def test_an_error_is_raised_where_the_result_is_asked_for_and_stops_nothing_else() -> None:
    first, second = ahead([lambda: 1 / 0, lambda: 2.0], 1)
    with pytest.raises(ZeroDivisionError):
        first.result()
    assert second.result() == 2.0


def test_what_is_cancelled_before_its_turn_is_never_called() -> None:
    go, called = threading.Event(), threading.Event()
    first, second = ahead([lambda: go.wait(30), called.set], 1)
    assert second.cancel()
    go.set()
    assert first.result()
    assert not called.is_set()
