"""The demo: three specs really tuned on this machine, from nothing to an empty second plan.

And then the recipes of the README, as they are typed by hand.
"""

import shutil

import psutil
import pytest

from tests.end_to_end.world import CLONE, World
from tests.pages import blocks

README = CLONE / "README.md"
TOPICS = {"business", "entertainment", "health", "sports", "technology", "politics"}


def with_the_project_s_jobs(world: World) -> None:
    root = world.repository.root
    shutil.copy(CLONE / "Pulumi.local.yaml", root)
    for spec in (CLONE / "jobs").glob("*.yaml"):
        shutil.copy(spec, root / "jobs")
    shutil.copytree(CLONE / "datasets", root / "datasets", dirs_exist_ok=True)


@pytest.mark.timeout(900)
def test_the_demo_tunes_three_models_that_beat_the_base_model(world: World) -> None:
    with_the_project_s_jobs(world)
    shown = world.done("vertune", "demo", seconds=900)
    assert "Nothing to do: 3 specs in sync." in shown
    assert "simulated on this machine" in shown
    command, answer = shown.partition("[10/11]")[2].splitlines()[1:3]
    assert answer.strip() in command.partition("context: ")[2]
    by_hand = shown.partition("Next, by hand:\n")[2]
    assert by_hand.find("emulator start") < by_hand.find("emulator env") < by_hand.find("predict")
    assert [p for p in psutil.process_iter(["cwd"]) if _within(p, world)] == []

    world.start(trainer="smollm2")
    assert world.run("vertune", "plan", "--detailed-exitcode").returncode == 0
    models = world.outputs()["tuned_models"]
    scores = {name: model["score"] for name, model in models.items()}
    assert scores["headlines"]["tuned"] >= 0.90 > scores["headlines"]["base"]
    assert scores["handbook"]["tuned"] >= 0.60 > scores["handbook"]["base"]
    assert scores["dialogues"]["tuned"] >= 1.5 * scores["dialogues"]["base"]
    assert {score["n"] for score in scores.values()} == {60, 40, 30}
    the_recipes_do_what_they_say(world)


def the_recipes_do_what_they_say(world: World) -> None:
    typed = [line for block in blocks(README, "", "Recipes") for line in block.splitlines()]
    printed = {line: world.done("sh", "-ec", line).strip() for line in typed}
    assert printed["vertune apply --yes"].count("tuned model") == 4
    answers = {line.split()[2]: said for line, said in printed.items() if " predict " in line}
    assert set(answers) == {"first", "headlines", "dialogues", "handbook"}
    assert answers["headlines"] in TOPICS
    assert all(answers.values())


def _within(process: psutil.Process, world: World) -> bool:
    folder = process.info["cwd"]
    return bool(folder) and folder.startswith(str(world.repository.root))
