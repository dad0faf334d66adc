"""The loop of a user's day: provision, plan, apply, outputs, edit, revert, crash."""

import json
import os
import signal

import psutil

from jobs.emulator.faults.client import FaultsClient
from tests.end_to_end.world import World


def test_a_spec_becomes_a_stack_output_and_the_second_plan_is_empty(
    provisioned_world: World,
) -> None:
    world = provisioned_world
    world.repository.job("topics")
    assert world.run("vertune", "plan", "--detailed-exitcode").returncode == 3
    world.done("vertune", "apply", "--yes")
    output = world.outputs()["tuned_models"]["topics"]
    assert "/models/local-" in output["tuned_model"]
    assert "/endpoints/local-" in output["endpoint"]
    assert len(output["fingerprint"]) == len(output["dataset_digest"]) == 64
    assert output["base_model"] == "gemini-3.1-flash-lite"
    assert output["score"]["tuned"] == 1.0
    assert "nearest-example stands in" in output["simulated"]
    assert world.run("vertune", "plan", "--detailed-exitcode").returncode == 0
    assert world.run("pulumi", "preview", "--expect-no-changes").returncode == 0


def test_an_edit_retrains_one_spec_and_its_revert_costs_no_job(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.repository.job("two")
    world.done("vertune", "apply", "--yes")
    first = world.outputs()["tuned_models"]
    data = world.repository.root / "datasets/one/train.jsonl"
    before = data.read_text("utf-8")
    data.write_text(before.replace("bank merger", "bank crash"), "utf-8")
    plan = json.loads(world.done("vertune", "plan", "-o", "json"))
    assert [(c["action"], c["name"]) for c in plan["changes"]] == [("retrain", "one")]
    world.done("vertune", "apply", "--yes")
    second = world.outputs()["tuned_models"]
    assert second["one"] != first["one"]
    assert second["two"] == first["two"]
    data.write_text(before, "utf-8")
    world.done("vertune", "apply", "--yes")
    assert world.outputs()["tuned_models"] == first
    assert world.jobs() == 3


def test_a_killed_emulator_comes_back_with_all_it_had(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.done("vertune", "apply", "--yes")
    pid = world.server()["pid"]
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    refused = world.run("vertune", "plan")
    assert refused.returncode == 1
    assert "vertune emulator start" in refused.stderr
    world.start()
    assert world.run("vertune", "plan", "--detailed-exitcode").returncode == 0
    assert world.done("vertune", "predict", "one", "one match").strip() == "sports"


def test_a_stack_without_infrastructure_says_what_to_run(world: World) -> None:
    world.repository.job("one")
    world.start()
    refused = world.run("vertune", "plan")
    assert refused.returncode == 1
    assert "run `pulumi up`" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_stopping_leaves_no_process_of_the_emulator(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.done("vertune", "apply", "--yes")
    server = psutil.Process(world.server()["pid"])
    family = [server, *server.children(recursive=True)]
    world.done("vertune", "emulator", "stop")
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert len(gone) == len(family)


def test_nobody_to_ask_means_that_nothing_is_paid(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    refused = world.run("vertune", "apply")
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert world.jobs() == 0


def test_prediction_takes_texts_from_arguments_and_standard_input(
    provisioned_world: World,
) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.done("vertune", "apply", "--yes")
    said = world.done("vertune", "predict", "one", "one match", "bank merger").split()
    assert said == ["sports", "business"]
    assert world.done("vertune", "predict", "one", stdin="bank merger\n").split() == ["business"]
    rows = json.loads(world.done("vertune", "predict", "--base", "-o", "json", "one", "a match"))
    assert "local simulation of gemini-3.1-flash-lite" in rows[0]["model_version"]


RECORDING = """
- {name: apply, method: GET, path: "*/o", query: "*prefix=ledger/*", nth: 4, hold: true}
"""


def test_an_apply_that_is_killed_while_it_records_is_made_good_by_the_next(
    provisioned_world: World,
) -> None:
    """The fourth time that the ledger is listed it is the program that does, inside the engine."""
    world = provisioned_world
    world.repository.job("one")
    faults = FaultsClient(world.server()["url"])
    faults.write(RECORDING, "rules")
    process = world.begin("vertune", "apply", "--yes")
    faults.wait("apply", seconds=60)
    process.kill()
    process.wait()
    faults.clear()
    assert world.outputs().get("tuned_models", {}) == {}
    while world.run("vertune", "apply", "--yes").returncode:  # the engine's lock is its own
        world.run("pulumi", "cancel", "--yes", "--stack", "local")
    assert set(world.outputs()["tuned_models"]) == {"one"}
    assert world.jobs() == 1
    assert world.run("pulumi", "preview", "--expect-no-changes").returncode == 0
