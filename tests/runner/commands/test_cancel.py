"""`vertune cancel`: asked for twice, once by name and once by --yes; its exit code tells."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import begin, entries, idle, in_flight


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with idle(tmp_path / "emulator") as running:
        yield running


def test_nobody_to_ask_means_that_the_job_goes_on(provisioned: Repository) -> None:
    place, before = in_flight(provisioned, "one")
    result = vertune(provisioned, "cancel", "one")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "add --yes" in result.stderr
    assert entries(place, "one") == [before]


def test_a_cancelled_job_is_done_and_cancelling_it_again_changes_nothing(
    provisioned: Repository,
) -> None:
    _, before = in_flight(provisioned, "one")
    result = vertune(provisioned, "cancel", "one", "--yes", "-o", "json")
    assert result.exit_code == 0
    assert result.stderr == f"one: asked the service to cancel {before.job}\n"
    assert json.loads(result.stdout) == {
        "name": "one",
        "ended": [
            {
                "fingerprint": before.fingerprint,
                "state": "cancelled",
                "job": before.job,
                "error": "The tuning job was cancelled.",
            }
        ],
    }
    again = vertune(provisioned, "cancel", "one")
    assert (again.exit_code, again.stdout) == (0, "one: cancelled already\n")


def test_what_succeeded_first_exits_with_1_and_is_kept(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, before = in_flight(provisioned, "one")
    begin(emulator)
    while not place.vertex.job(before.job or "").done:
        pass
    result = vertune(provisioned, "cancel", "one", "--yes")
    assert result.exit_code == 1
    assert result.stdout == (
        "one: succeeded before it could be cancelled; it is kept, `vertune apply` goes on with it\n"
    )
    assert entries(place, "one")[-1].state == "succeeded"
