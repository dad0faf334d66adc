"""Names: two of them ask for one tuning at once, in two processes, and one of these dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.emulator.faults.rule import Rule
from tests.faults.figures import TABLE
from tests.faults.station import Case, Station

INTENT = Rule("here", method="POST", path="/upload/*", nth=3, hold=True)
CLAIM = Rule("here", method="POST", path="/upload/*", nth=4, hold=True)
CREATE = Rule("here", method="POST", path="*/tuningJobs", hold=True)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(tmp_path_factory.mktemp("names")) as station:
        yield station


def one_tuning_under_two_names(station: Station) -> tuple[Case, str]:
    case = station.case()
    other = f"{case.name}-1"
    jobs = case.repository.root / "jobs"
    (jobs / f"{other}.yaml").write_bytes((jobs / f"{case.name}.yaml").read_bytes())
    return case, other


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("rule", [INTENT, CLAIM, CREATE], ids=["intent", "claim", "create"])
def test_one_job_is_created_whichever_of_them_is_killed_wherever(
    station: Station, rule: Rule, when: str
) -> None:
    case, other = one_tuning_under_two_names(station)
    apply = ("apply", "--yes", "--no-record", "--select")
    station.arm(Rule(**(rule.given() | {"when": when})))
    first = case.start(*apply, case.name)
    assert station.reached("here", first), case.said()
    second = case.start(*apply, other)
    case.ended(second)
    case.kill(first)
    station.disarm()
    case.run()  # may find the tuning in flight under the other name
    assert case.run() == 0, case.said()
    case.count(TABLE)
    TABLE.kills += 1
    assert case.faults(specs=2) == []
