"""Whatever fails at whichever remote call of an apply, a re-run ends as if nothing had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from queue import SimpleQueue
from typing import Any

import pytest

from jobs.emulator.faults.rule import Rule
from tests.faults.figures import TABLE
from tests.faults.station import CALM, Case, Station

STATIONS = 9

JOBS, UPLOAD, ANSWER = "*/tuningJobs", "/upload/*", "*:generateContent"

# Every remote call of an apply of one spec, in their order; an upload is told by its number.
CALLS: dict[str, Rule] = {
    "list the ledger": Rule(method="GET", path="*/o", query="*prefix=ledger/*"),
    "read whose bucket it is": Rule(method="GET", path="*/owner.json"),
    "mark the bucket": Rule(method="POST", path=UPLOAD, nth=1),
    "count what is under way": Rule(method="GET", path=JOBS, nth=1),
    "look for the examples": Rule(method="GET", path="*/o/datasets/*"),
    "upload the examples": Rule(method="POST", path=UPLOAD, nth=2),
    "write the intent": Rule(method="POST", path=UPLOAD, nth=3),
    "look the job up": Rule(method="GET", path=JOBS, nth=2),
    "claim the tuning": Rule(method="POST", path=UPLOAD, nth=4),
    "create the job": Rule(method="POST", path=JOBS),
    "record the job": Rule(method="POST", path=UPLOAD, nth=5),
    "look at the job": Rule(method="GET", path="*/tuningJobs/*"),
    "record the model": Rule(method="POST", path=UPLOAD, nth=6),
    "read the entry": Rule(method="GET", path="*/ledger/*.json"),
    "ask the base model": Rule(method="POST", path="*/models/*:generateContent"),
    "ask the tuned model": Rule(method="POST", path="*/endpoints/*:generateContent"),
    "record the score": Rule(method="POST", path=UPLOAD, nth=7),
    "read what is served": Rule(method="GET", path="*/active.json"),
    "serve it": Rule(method="POST", path=UPLOAD, nth=8),
    "look whether it is pruned": Rule(method="GET", path="*/claims/*.json"),
    "look whether it is there": Rule(method="GET", path="*/models/*"),
    "look for the tuned model": Rule(method="GET", path="*/models/*", nth=2),
    "move the alias": Rule(method="POST", path="*:mergeVersionAliases"),
    "read what is served again": Rule(method="GET", path="*/active.json", nth=2),
    "note that the alias followed": Rule(method="PATCH", path="*/active.json"),
}

FAULTS: dict[str, dict[str, Any]] = {
    "killed before it": {"when": "before", "hold": True},
    "killed after it": {"when": "after", "hold": True},
    "answer lost": {"when": "after", "cut": "rst"},
    "429": {"status": 429},
    "500": {"status": 500},
    "503": {"status": 503},
    "403": {"status": 403},
    "slow": {},
    "malformed answer": {"when": "after", "malformed": True},
}


# Seconds, each longer than what the call is waited for.
SLOWER_THAN_A_READ = 1.7
SLOW = {"create the job": 1.2, "ask the base model": 6.5, "ask the tuned model": 6.5}


@dataclass(frozen=True)
class Row:
    """One case of the table and what is not right after it."""

    call: str
    wrong: tuple[str, ...]
    hit: bool
    case: Case


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Station]]:
    made: list[Station] = []
    try:
        for number in range(STATIONS):
            made.append(Station(tmp_path_factory.mktemp(f"station-{number}")).__enter__())
        yield made
    finally:
        for station in made:
            station.__exit__()


def one_applier(station: Station, case: Case, killed: bool) -> bool:
    process = case.start()
    hit = station.reached("fault", process)
    if killed and hit:
        case.kill(process)
    case.ended(process)
    return hit


def two_appliers(station: Station, case: Case, killed: bool) -> bool:
    """A second one begins when the first has come to the fault, or at once."""
    first = case.start()
    hit = station.reached("fault", first) if killed else False
    second = case.start()
    if killed and hit:
        case.kill(first)
    case.ended(first)
    case.ended(second)
    return hit or bool(station.emulator.faults.listed()[0]["hits"])


def armed(call: str, fault: str) -> Rule:
    rule = CALLS[call]
    given: dict[str, Any] = {**FAULTS[fault], "nth": rule.nth or 1, "name": "fault"}
    if fault == "slow":
        given["delay"] = SLOW.get(call, SLOWER_THAN_A_READ)
    return replace(rule, **given)


def tried(
    call: str,
    fault: str,
    appliers: Callable[[Station, Case, bool], bool],
    stations: SimpleQueue[Station],
) -> Row:
    station = stations.get()
    try:
        case = station.case()
        station.arm(armed(call, fault))
        hit = appliers(station, case, fault.startswith("killed"))
        station.disarm()
        code = case.run(patience=CALM)
        wrong = case.faults() + ([f"exit code {code}"] if code else [])
        return Row(call, (*wrong, case.said()) if wrong else (), hit, case)
    finally:
        station.disarm()
        stations.put(station)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("appliers", [one_applier, two_appliers], ids=["one", "two"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_spec_is_submitted_once_and_ends_served(
    fault: str, appliers: Callable[[Station, Case, bool], bool], stations: list[Station]
) -> None:
    free: SimpleQueue[Station] = SimpleQueue()
    for station in stations:
        free.put(station)
    with ThreadPoolExecutor(STATIONS) as pool:
        rows = list(pool.map(tried, CALLS, repeat(fault), repeat(appliers), repeat(free)))
    for row in rows:
        row.case.count(TABLE)
        TABLE.faults += row.hit
        TABLE.kills += row.hit and fault.startswith("killed")
    wrong = {row.call: row.wrong for row in rows if row.wrong}
    assert not wrong
    assert [row.call for row in rows if not row.hit] == []
