"""Control of faults over the wire: listed, replaced, cleared and waited for."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.client import FaultsClient
from jobs.emulator.faults.reading import RulesError
from jobs.emulator.faults.rule import Rule
from tests.emulator.wire import Wire


@pytest.fixture
def faults(emulator: Emulator) -> FaultsClient:
    return FaultsClient(emulator.url)


def test_rules_are_listed_with_what_they_did(faults: FaultsClient, wire: Wire) -> None:
    faults.write("- {path: /, nth: 2, status: 503}\n- {name: never, path: /x, hold: true}", "mine")
    for _ in range(3):
        wire.ask("GET", "/")

    counts = {"seen": 3, "hits": 1, "held": 0}
    never = {"seen": 0, "hits": 0, "held": 0}
    assert faults.listed() == [
        {"name": "1", "path": "/", "nth": 2, "status": 503, **counts},
        {"name": "never", "path": "/x", "hold": True, **never},
    ]


def test_cleared_rules_are_gone(faults: FaultsClient, wire: Wire) -> None:
    faults.write("- status: 503", "mine")
    faults.clear()

    assert faults.listed() == []
    assert wire.ask("GET", "/")[0] == 200


def test_no_rule_hits_the_control(faults: FaultsClient, wire: Wire) -> None:
    faults.write("- status: 503", "mine")

    assert wire.ask("GET", "/")[0] == 503
    assert [rule["seen"] for rule in faults.listed()] == [1]


def test_rules_that_are_none_are_refused_with_where_they_stand(faults: FaultsClient) -> None:
    with pytest.raises(RulesError, match=r"mine\.yaml:2: rule 2: status: must be a status"):
        faults.write("- status: 503\n- status: 20", "mine.yaml")

    assert faults.listed() == []


def test_a_wait_ends_with_the_hit(emulator: Emulator, faults: FaultsClient, wire: Wire) -> None:
    emulator.faults.set(Rule("second", path="/", nth=2, status=503))

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(faults.wait, "second")
        wire.ask("GET", "/")
        before = waiting.done()
        wire.ask("GET", "/")
        waiting.result(timeout=20)

    assert not before


def test_a_wait_for_what_does_not_come_ends_with_an_error(faults: FaultsClient) -> None:
    faults.write("- {name: never, path: /never, status: 503}", "mine")

    with pytest.raises(TimeoutError, match="fault rule never has 0 of 1 hits"):
        faults.wait("never", seconds=0)
    with pytest.raises(RulesError, match="There is no fault rule other"):
        faults.wait("other")
