"""Screen: a table that stays on a terminal, and elsewhere a line for what changed."""

import io
from dataclasses import replace

from rich.console import Console

from jobs.runner.health import Fares, Health, Progress
from jobs.runner.screen import Screen
from jobs.runner.status import Status, Sync
from tests.runner.states import A1, A2, entry
from tests.runner.test_report import NASTY


def screen(terminal: bool) -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=terminal,
        width=200,
        highlight=False,
        markup=False,
        emoji=False,
        color_system=None,
        legacy_windows=False,
        soft_wrap=True,
    )
    return Screen(console), stream


def running(step: int, remaining: float | None = None) -> Status:
    fares = Fares(Health.RUNNING, "tuning", progress=Progress(step, 40, remaining))
    return Status("one", Sync.OUT_OF_SYNC, "in flight", fares, entry(A1, "submitted"))


def test_a_line_tells_of_each_tenth_of_the_way_and_not_of_the_time_left() -> None:
    shown, stream = screen(terminal=False)
    with shown:
        for step in range(41):
            shown.show([running(step, 100.0 - step)])
    assert stream.getvalue().splitlines() == [
        f"one: running: tuning, step {step} of 40 ({step * 100 // 40} %) (out of sync)"
        for step in range(0, 41, 4)
    ]


def test_a_change_of_health_or_sync_is_a_line() -> None:
    one = running(4)
    served = replace(one, sync=Sync.IN_SYNC, why=None, fares=Fares(Health.SERVED))
    shown, stream = screen(terminal=False)
    with shown:
        for found in (one, one, replace(one, sync=Sync.UNKNOWN), served, served):
            shown.show([found])
    assert len(stream.getvalue().splitlines()) == 3
    assert stream.getvalue().endswith("one: served (in sync)\n")


def test_tunings_of_one_name_are_told_apart() -> None:
    one = running(4)
    shown, stream = screen(terminal=False)
    with shown:
        for _ in range(2):
            shown.show([one, replace(one, entry=entry(A2)), replace(one, entry=None)])
    assert len(stream.getvalue().splitlines()) == 3


def test_a_table_shows_the_last_state_and_no_sign_that_moves_the_cursor() -> None:
    shown, stream = screen(terminal=True)
    with shown:
        shown.show([running(4, 90.0)])
        shown.show([replace(running(4), fares=Fares(Health.FAILED, NASTY))])
    last = stream.getvalue().rpartition("health")[2]
    assert "failed: quota | <img" in last
    assert "\x1b[2J `x`" not in stream.getvalue()
    assert "about 90 seconds" not in last
