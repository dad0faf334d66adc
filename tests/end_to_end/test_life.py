"""Life after tuning, as a person types it, with the genuine engine: nothing is ever tuned twice."""

import json
import re

from tests.end_to_end.world import World


def in_sync(world: World) -> bool:
    return world.run("vertune", "plan", "--detailed-exitcode").returncode == 0


def test_a_tuned_model_is_taken_back_and_promoted_again(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    world.done("vertune", "apply", "--yes")
    first = world.outputs()["tuned_models"]
    data = world.repository.root / "datasets/one/train.jsonl"
    data.write_text(data.read_text("utf-8").replace("bank merger", "bank crash"), "utf-8")
    world.done("vertune", "apply", "--yes")
    second = world.outputs()["tuned_models"]
    back = json.loads(world.done("vertune", "rollback", "one", "-o", "json"))
    assert back["tuned_models"] == world.outputs()["tuned_models"] == first
    assert back["instead_of"] == second["one"]["fingerprint"]
    assert in_sync(world)
    shown = world.done("vertune", "promote", "one")
    assert re.search(r"^one: accuracy 1.000", shown)
    assert world.outputs()["tuned_models"] == second
    assert in_sync(world)
    assert world.jobs() == 2
