"""Life of what was tuned, as a person types it, with the genuine engine: nothing is tuned twice."""

import json
import re
from contextlib import suppress

import psutil

from jobs.emulator.faults.client import FaultsClient
from tests.end_to_end.world import World

RECORDING = """
- {name: apply, method: GET, path: "*/o", query: "*prefix=ledger/*", nth: 4, hold: true}
"""


def served(world: World) -> dict[str, object]:
    return dict(world.outputs().get("tuned_models", {}))


def in_sync(world: World) -> bool:
    return world.run("vertune", "plan", "--detailed-exitcode").returncode == 0


def an_apply_is_killed_while_it_records(world: World) -> None:
    """The fourth time that the ledger is listed it is the program that does, inside the engine."""
    faults = FaultsClient(world.server()["url"])
    faults.write(RECORDING, "rules")
    process = world.begin("vertune", "apply", "--yes")
    faults.wait("apply", seconds=60)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    for one in family:  # the engine would go on, and record in the end
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family)
    faults.clear()


def test_killed_edited_taken_back_promoted_and_reverted_it_is_tuned_as_often_as_it_is_new(
    provisioned_world: World,
) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.repository.job("two")

    an_apply_is_killed_while_it_records(world)
    assert served(world) == {}
    while world.run("vertune", "apply", "--yes").returncode:  # the engine's lock is its own
        world.run("pulumi", "cancel", "--yes", "--stack", "local")
    first = served(world)
    assert (set(first), world.jobs()) == ({"one", "two"}, 2)
    assert world.run("pulumi", "preview", "--expect-no-changes").returncode == 0

    data = world.repository.root / "datasets/one/train.jsonl"
    before = data.read_text("utf-8")
    data.write_text(before.replace("bank merger", "bank crash"), "utf-8")
    plan = json.loads(world.done("vertune", "plan", "-o", "json"))
    assert [(c["action"], c["name"]) for c in plan["changes"]] == [("retrain", "one")]
    world.done("vertune", "apply", "--yes")
    second = world.outputs()["tuned_models"]
    assert second["one"] != first["one"]
    assert second["two"] == first["two"]

    back = json.loads(world.done("vertune", "rollback", "one", "-o", "json"))
    assert back["tuned_models"] == served(world) == first
    assert back["instead_of"] == second["one"]["fingerprint"]
    assert in_sync(world)
    shown = world.done("vertune", "promote", "one")
    assert re.search(r"^one: accuracy 1.000", shown)
    assert served(world) == second
    assert in_sync(world)

    data.write_text(before, "utf-8")
    world.done("vertune", "apply", "--yes")
    assert served(world) == first
    assert world.jobs() == 3
