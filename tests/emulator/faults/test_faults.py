"""Faults: the rules in force are those of the file, and each counts what it matches."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.reading import RulesError, rules
from jobs.emulator.faults.rule import Rule
from tests.emulator.wire import Wire

_ERROR = "- {status: 503, path: /}"


def file(emulator: Emulator) -> Path:
    return emulator.state.folder / "faults.yaml"


def test_a_file_is_in_force_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text(_ERROR)
    with Emulator(tmp_path, trainer="nearest") as emulator:
        assert Wire(emulator.url).ask("GET", "/")[0] == 503


def test_a_file_is_read_again_when_it_changes(emulator: Emulator, wire: Wire) -> None:
    statuses = [wire.ask("GET", "/")[0]]
    for text in (_ERROR, _ERROR.replace("503", "429"), "", _ERROR):
        partial = file(emulator).with_suffix(".new")
        partial.write_text(text)
        partial.replace(file(emulator))
        statuses.append(wire.ask("GET", "/")[0])
    file(emulator).unlink()
    statuses.append(wire.ask("GET", "/")[0])

    assert statuses == [200, 503, 429, 200, 503, 200]


def test_a_file_changed_in_place_without_a_new_size_is_read_again(
    emulator: Emulator, wire: Wire
) -> None:
    file(emulator).write_text(_ERROR)
    before = wire.ask("GET", "/")[0]
    file(emulator).write_text(_ERROR.replace("503", "429"))
    os.utime(file(emulator), ns=(0, 1))

    assert (before, wire.ask("GET", "/")[0]) == (503, 429)


def test_no_request_is_served_by_half_a_file(
    emulator: Emulator, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    file(emulator).write_text(f"{_ERROR}\n- {{stats: 1}}")

    status, message = wire.refused("GET", "/")

    assert status == 400
    assert "faults.yaml:2: rule 2: stats: unknown; did you mean status?" in message
    assert message in caplog.text
    file(emulator).write_text("[]")
    assert wire.ask("GET", "/")[0] == 200


def test_a_request_waits_for_the_rules_that_another_is_reading(
    emulator: Emulator, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = Event(), Event()

    def slowly(*given: Any) -> Any:
        reading.set()
        go_on.wait(20)
        return rules(*given)

    monkeypatch.setattr("jobs.emulator.faults.faults.rules", slowly)
    file(emulator).write_text("- {status: 503}", "utf-8")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(wire.ask, "GET", "/")
        assert reading.wait(20)
        second = pool.submit(wire.ask, "GET", "/")
        wait([second], timeout=0.5)
        go_on.set()
        assert [first.result()[0], second.result()[0]] == [503, 503]


def test_a_file_that_cannot_be_read_is_said_so(emulator: Emulator, wire: Wire) -> None:
    file(emulator).write_bytes(b"\xff")
    assert "faults.yaml" in wire.refused("GET", "/")[1]


def test_rules_that_are_none_change_nothing(emulator: Emulator, wire: Wire) -> None:
    emulator.faults.set(Rule(status=503))

    with pytest.raises(RulesError, match="only one of status, hold"):
        emulator.faults.set(Rule(status=503, hold=True))

    assert wire.ask("GET", "/")[0] == 503


def test_rules_set_anew_count_from_zero(emulator: Emulator, wire: Wire) -> None:
    for _ in range(2):
        emulator.faults.set(Rule(path="/", nth=2, status=503))
        assert [wire.ask("GET", "/")[0] for _ in range(3)] == [200, 503, 200]


def test_rules_survive_a_restart_and_cleared_ones_do_not(tmp_path: Path) -> None:
    with Emulator(tmp_path, trainer="nearest") as emulator:
        emulator.faults.set(Rule(status=503))
    with Emulator(tmp_path, trainer="nearest") as emulator:
        kept = Wire(emulator.url).ask("GET", "/")[0]
        emulator.faults.clear()
    with Emulator(tmp_path, trainer="nearest") as emulator:
        cleared = Wire(emulator.url).ask("GET", "/")[0]

    assert (kept, cleared) == (503, 200)


def test_waiting_for_a_hit_that_does_not_come_ends_with_an_error(emulator: Emulator) -> None:
    emulator.faults.set(Rule("a", status=503))

    with pytest.raises(TimeoutError, match="fault rule a has 0 of 1 hits"):
        emulator.faults.wait("a", seconds=0.01)
    with pytest.raises(KeyError):
        emulator.faults.wait("b")
