"""Events: one whole line a step, of a documented format, whatever ends the apply."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.faults.rule import Rule
from jobs.runner.events import KINDS, Event, Events, table
from jobs.runner.vertex import Job
from tests.conftest import SPEC, Repository
from tests.faults.station import Station
from tests.runner.commands.calls import vertune

ROOT = Path(__file__).parents[2]
_EVERY_LINE = {"version", "time", "event", "stack"}
LOOK = Rule("here", method="GET", path="*/tuningJobs/*", nth=1, hold=True)


def lines(file: Path) -> list[dict[str, Any]]:
    """Each line of the file, held to what its event may have."""
    found = []
    for line in file.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n")
        one = Event.model_validate_json(line).model_dump(exclude_none=True)
        assert one.keys() >= _EVERY_LINE
        assert one.keys() <= _EVERY_LINE | {"name", "fingerprint", "job", *KINDS[one["event"]][1]}
        found.append(one)
    return found


def told(repository: Repository, *words: str) -> list[dict[str, Any]]:
    file = repository.root / "events.jsonl"
    vertune(repository, "apply", "--no-record", "--events", str(file), *words)
    return lines(file)


def test_the_page_of_the_events_shows_them_all_as_they_are() -> None:
    page = (ROOT / "docs/events.md").read_text("utf-8")
    shown = re.search(r"<!-- events -->\n(.*?)\n<!-- /events -->", page, re.DOTALL)
    assert shown
    assert shown[1] == table()


def test_each_step_of_a_tuning_is_a_line(provisioned: Repository) -> None:
    provisioned.job("one")
    found = [one for one in told(provisioned, "--yes") if one["event"] != "running"]
    words = ["planned", "submitted", "succeeded", "evaluated", "served", "ended"]
    assert [one["event"] for one in found] == words
    planned, submitted, succeeded, evaluated, served, ended = found
    assert (planned["action"], planned["reason"]) == ("submit", "new")
    assert planned["price_usd"] > 0
    assert "/tuningJobs/local-" in submitted["job"]
    assert {one["job"] for one in (succeeded, evaluated, served)} == {submitted["job"]}
    assert len({one["fingerprint"] for one in found[:-1]}) == 1
    assert {one["name"] for one in found[:-1]} == {"one"}
    assert "/models/local-" in succeeded["tuned_model"]
    assert (evaluated["metric"], evaluated["score"]) == ("accuracy", 1.0)
    assert ended["counts"] == {"tuned": 1, "failed": 0, "running": 0, "queued": 0}
    assert [one["time"] for one in found] == sorted(one["time"] for one in found)


def test_what_is_not_served_has_failed_and_the_line_says_why(provisioned: Repository) -> None:
    provisioned.job("one")
    provisioned.spec("one", SPEC.format(name="one").replace("accuracy}", "accuracy, at_least: 1}"))
    provisioned.data("one", "test", ("one match again", "weather"))
    failed, ended = told(provisioned, "--yes")[-2:]
    assert (failed["event"], failed["name"]) == ("failed", "one")
    assert "below its mark of 1" in failed["error"]
    assert ended["counts"]["failed"] == 1


def test_what_nobody_confirmed_ends_with_the_reason(provisioned: Repository) -> None:
    provisioned.job("one")
    planned, stopped = told(provisioned)
    assert (planned["event"], stopped["event"]) == ("planned", "stopped")
    assert "add --yes" in stopped["error"]


def test_a_job_that_goes_on_is_a_line_for_each_state_and_each_tenth(tmp_path: Path) -> None:
    with Events("dev", tmp_path / "log") as events:
        events.moved("one", Job("j", "PENDING", None, {}))
        for step in (*range(41), 40):
            events.moved("one", Job("j", "RUNNING", None, {}, step=step, steps=40))
        events.moved("one", Job("j", "SUCCEEDED", None, {}, step=40, steps=40))
    pending, *rest = lines(tmp_path / "log")
    assert pending["state"] == "PENDING"
    assert [one["step"] for one in rest] == [*range(0, 41, 4)]


def test_an_apply_that_is_killed_leaves_whole_lines_and_the_next_goes_on_after_them(
    tmp_path: Path,
) -> None:
    with Station(tmp_path) as station:
        case, file = station.case(), tmp_path / "events.jsonl"
        words = ("apply", "--yes", "--no-record", "--events", str(file))
        station.arm(LOOK)
        process = case.start(*words)
        assert station.reached("here", process)
        process.kill()
        process.join()
        station.disarm()
        before = lines(file)
        assert [one["event"] for one in before] == ["planned", "submitted"]
        assert case.run(*words) == 0
    after = lines(file)
    assert after[:2] == before
    assert (after[2]["action"], after[3]["event"]) == ("resume", "adopted")
    assert after[3]["job"] == before[1]["job"]
    assert after[-1]["event"] == "ended"


def test_where_no_events_can_be_written_nothing_is_begun(provisioned: Repository) -> None:
    provisioned.job("one")
    result = vertune(provisioned, "apply", "--yes", "--events", str(provisioned.root / "no/where"))
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "no/where: events cannot be written there: No such file or directory\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it is Linux's")
def test_a_full_disk_ends_the_events_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with Events("dev", Path("/dev/full")) as events:
        events.happened("served", "one")
        events.happened("served", "two")
    assert capsys.readouterr().err == "no more events are written: No space left on device\n"


@given(error=st.text(st.characters(), max_size=3000), name=st.text(min_size=1, max_size=40))
def test_whatever_a_message_holds_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, error: str, name: str
) -> None:
    file = tmp_path_factory.mktemp("events") / "log"
    with Events("dev", file) as events:
        events.happened("failed", name, error=error)
    (line,) = file.read_bytes().splitlines()
    assert json.loads(line)["error"] == error[:1000].encode("utf-8", "replace").decode()
