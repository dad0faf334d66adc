"""Ctrl-C: the first ends the waiting, the second ends at once, and nothing is lost by either."""

import os
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from jobs.emulator.faults.rule import Rule
from tests.faults.station import Case, Station

LOOK = Rule("here", method="GET", path="*/tuningJobs/*", nth=1, hold=True)
CREATE = Rule("here", method="POST", path="*/tuningJobs", nth=1, when="after", hold=True)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station(tmp_path) as made:
        yield made


def held(station: Station, rule: Rule) -> tuple[Case, BaseProcess]:
    case = station.case()
    station.arm(rule)
    process = case.start()
    assert station.reached("here", process)
    return case, process


def interrupt(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)


def until_said(case: Case, process: BaseProcess, words: str) -> None:
    while words not in case.said():
        assert process.is_alive(), case.said()


@pytest.mark.parametrize("rule", [LOOK, CREATE], ids=["waiting", "creating"])
def test_the_first_one_ends_the_waiting_after_the_step_that_is_being_done(
    station: Station, rule: Rule
) -> None:
    case, process = held(station, rule)
    interrupt(process)
    until_said(case, process, "stopping after this step")
    station.disarm()
    assert case.ended(process) == 1
    assert "jobs that were submitted go on, `vertune apply` adopts them" in case.said()
    assert case.run() == 0
    assert case.faults() == []


def test_the_second_one_ends_it_at_once(station: Station) -> None:
    case, process = held(station, LOOK)
    interrupt(process)
    until_said(case, process, "again to stop at once")
    interrupt(process)
    assert case.ended(process) == 130
    station.disarm()
    assert case.run() == 0
    assert case.faults() == []
