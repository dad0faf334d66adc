"""The loop of a user's day: provision, plan, apply, outputs, prediction, and what is killed.

One day is lived once, and each test looks at one part of it.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.conftest import laid_out
from tests.end_to_end.world import World

Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Day:
    without_infrastructure: Ended
    nobody_to_ask: Ended
    jobs_by_then: int
    planned: int
    output: dict[str, Any]
    planned_again: int
    previewed: int
    said: list[str]
    said_of_input: list[str]
    said_of_base: list[dict[str, Any]]
    without_emulator: Ended
    planned_after_kill: int
    said_after_kill: str
    alive: list[psutil.Process]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    world = World.make(laid_out(tmp_path_factory.mktemp("day") / "repository"))
    try:
        yield _lived(world)
    finally:
        world.close()


def _lived(world: World) -> Day:
    world.repository.job("topics")
    world.start()
    without = world.run("vertune", "plan")
    world.provision()
    nobody, jobs = world.run("vertune", "apply"), world.jobs()
    planned = _difference(world)
    world.done("vertune", "apply", "--yes")
    output = world.outputs()["tuned_models"]["topics"]
    again = _difference(world)
    previewed = world.run("pulumi", "preview", "--expect-no-changes").returncode
    predict = ("vertune", "predict", "topics")
    said = world.done(*predict, "topics match", "bank merger").split()
    of_input = world.done(*predict, stdin="bank merger\n").split()
    of_base = json.loads(world.done(*predict, "--base", "-o", "json", "a match"))
    _kill(world)
    refused = world.run("vertune", "plan")
    world.start()
    after, answer = _difference(world), world.done(*predict, "topics match").strip()
    return Day(
        *(without, nobody, jobs, planned, output, again, previewed, said, of_input, of_base),
        *(refused, after, answer, _stopped(world)),
    )


def _difference(world: World) -> int:
    return world.run("vertune", "plan", "--detailed-exitcode").returncode


def _kill(world: World) -> None:
    server = psutil.Process(world.server()["pid"])
    server.kill()
    psutil.wait_procs([server], timeout=10)


def _stopped(world: World) -> list[psutil.Process]:
    """What of the emulator is still there once it was stopped."""
    server = psutil.Process(world.server()["pid"])
    family = [server, *server.children(recursive=True)]
    assert len(family) > 1  # its trainer
    world.done("vertune", "emulator", "stop")
    alive: list[psutil.Process] = psutil.wait_procs(family, timeout=10)[1]
    return alive


def test_a_stack_without_infrastructure_says_what_to_run(day: Day) -> None:
    assert day.without_infrastructure.returncode == 1
    assert "run `pulumi up`" in day.without_infrastructure.stderr
    assert "Traceback" not in day.without_infrastructure.stderr


def test_nobody_to_ask_means_that_nothing_is_paid(day: Day) -> None:
    assert day.nobody_to_ask.returncode == 1
    assert "--yes" in day.nobody_to_ask.stderr
    assert day.jobs_by_then == 0


def test_a_spec_becomes_a_stack_output_and_the_second_plan_is_empty(day: Day) -> None:
    assert (day.planned, day.planned_again, day.previewed) == (3, 0, 0)
    assert "/models/local-" in day.output["tuned_model"]
    assert "/endpoints/local-" in day.output["endpoint"]
    assert len(day.output["fingerprint"]) == len(day.output["dataset_digest"]) == 64
    assert day.output["base_model"] == "gemini-3.1-flash-lite"
    assert day.output["score"]["tuned"] == 1.0
    assert "nearest-example stands in" in day.output["simulated"]


def test_prediction_takes_texts_from_arguments_and_standard_input(day: Day) -> None:
    assert day.said == ["sports", "business"]
    assert day.said_of_input == ["business"]
    assert "local simulation of gemini-3.1-flash-lite" in day.said_of_base[0]["model_version"]


def test_a_killed_emulator_comes_back_with_all_it_had(day: Day) -> None:
    assert day.without_emulator.returncode == 1
    assert "vertune emulator start" in day.without_emulator.stderr
    assert day.planned_after_kill == 0
    assert day.said_after_kill == "sports"


def test_stopping_leaves_no_process_of_the_emulator(day: Day) -> None:
    assert day.alive == []
