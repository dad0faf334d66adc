"""docs/pulumi.md: its blocks are run from top to bottom, with Pulumi's state in a bucket.

One life of the stack is lived once, and each test looks at one stage of it.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from jobs.emulator.faults.client import FaultsClient
from jobs.runner import storage
from tests.conftest import STACK_SETTINGS, laid_out
from tests.end_to_end.world import CLONE, World

PAGE = (CLONE / "docs/pulumi.md").read_text("utf-8")
HELD = '- {name: up, method: POST, path: "/v1/projects/vertune-local:setIamPolicy", hold: true}\n'
PROD = "vertune-local-prod"

Ended = subprocess.CompletedProcess[str]


def told(heading: str, language: str = "sh") -> list[str]:
    """The blocks of one section."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.M | re.S)


@dataclass
class Page:
    """A world in whose one shell the blocks are typed."""

    world: World

    def type(self, script: str) -> str:
        """What a script that must succeed prints; what it exports holds from then on."""
        kept = self.world.repository.root / ".vertune/shell"
        printed = self.world.done("sh", "-ec", f'{script}\nenv -0 > "{kept}"')
        lines = kept.read_text("utf-8").split("\0")
        self.world.environment = dict(line.split("=", 1) for line in lines if "=" in line)
        return printed

    def label(self, value: str) -> None:
        self.type(f"pulumi config set --stack local --path vertune:labels.team {value}")

    def labels(self) -> dict[str, str]:
        return dict(self._get("/storage/v1/b/vertune-local")["labels"])

    def kept(self) -> set[str]:
        """The files of Pulumi's state in its bucket."""
        bucket = storage.bucket("team-state", "vertune-local", self.world.server()["url"])
        return {blob.name for blob in bucket.list_blobs()}

    def _get(self, path: str) -> dict[str, Any]:
        return dict(requests.get(self.world.server()["url"] + path, timeout=10).json())


@dataclass(frozen=True)
class Life:
    locked: Ended
    lock: set[str]
    state: set[str]
    elsewhere: list[str]
    not_in_the_plan: Ended
    labels: list[str]
    tuned: dict[str, Any]
    endpoints: dict[str, str]
    without_passphrase: Ended
    imported: str
    left: set[str]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    world = World.make(laid_out(tmp_path_factory.mktemp("page") / "repository"))
    world.repository.job("one")
    settings = STACK_SETTINGS + '  vertune:deletionProtection: "false"\n'
    (world.repository.root / "Pulumi.local.yaml").write_text(settings, "utf-8")
    try:
        world.done("vertune", "emulator", "start", "--trainer", "nearest")
        yield _lived(Page(world))
    finally:
        world.close()


def _lived(page: Page) -> Life:
    world = page.world
    locked, lock = _begun(page)
    state = page.kept()
    folder = world.repository.root / ".vertune/emulator/pulumi"
    elsewhere = [str(path) for path in folder.rglob("local.json")]
    refused, labels = _planned(page)
    tuned, endpoints = world.outputs()["tuned_models"], _consumed(page)
    wrong = {**world.environment, "PULUMI_CONFIG_PASSPHRASE": "another"}
    without = World(world.repository, wrong).run("vertune", "record")
    imported = _imported(page)
    page.type(told("Taking it away")[0])
    return Life(
        *(locked, lock, state, elsewhere, refused, labels),
        *(tuned, endpoints, without, imported, page.kept()),
    )


def _begun(page: Page) -> tuple[Ended, set[str]]:
    """The first update, and who wants to record while it waits for an answer."""
    *made, up = told("Where the state is")[0].splitlines()
    page.type("\n".join(made))
    faults = FaultsClient(page.world.server()["url"])
    faults.write(HELD, "rules")
    process = page.world.begin("sh", "-ec", up)
    faults.wait("up", seconds=60)
    hasty = World(page.world.repository, {**page.world.environment, "VERTUNE_PATIENCE": "0.05"})
    locked, lock = hasty.run("vertune", "record"), page.kept()
    faults.clear()
    assert process.wait(timeout=120) == 0
    return locked, lock


def _planned(page: Page) -> tuple[Ended, list[str]]:
    """Another change than the planned one, then the planned one."""
    saved, tuned, followed = told("Update plans")[0].splitlines()
    page.label("planned")
    page.type(f"{saved}\n{tuned}")
    page.label("unplanned")
    refused = page.world.run("sh", "-ec", followed)
    labels = [page.labels().get("team", "none")]
    page.label("planned")
    page.type(followed)
    return refused, [*labels, page.labels()["team"]]


def _consumed(page: Page) -> dict[str, str]:
    folder = page.world.repository.root / "search"
    folder.mkdir()
    heading = "Outputs for other stacks"
    (folder / "Pulumi.yaml").write_text(told(heading, "yaml")[0], "utf-8")
    (folder / "__main__.py").write_text(told(heading, "python")[0], "utf-8")
    *made, shown = told(heading)[0].splitlines()
    page.type("\n".join(made))
    return dict(json.loads(page.type(shown)))


def _imported(page: Page) -> str:
    """Into a second project's stack, what a person made there."""
    url, root = page.world.server()["url"], page.world.repository.root
    bucket: Any = {"name": PROD, "location": "us-central1", "labels": {"team": "search"}}
    account: Any = {"accountId": "vertune-tuner"}
    for path, body in (
        (f"/storage/v1/b?project={PROD}", bucket),
        (f"/v1/projects/{PROD}/serviceAccounts", account),
    ):
        requests.post(url + path, json=body, timeout=10).raise_for_status()
    settings = STACK_SETTINGS.replace("vertune-local", PROD)
    (root / "Pulumi.prod.yaml").write_text(settings, "utf-8")
    file = told("What exists already", "json")[0]
    (root / "import.json").write_text(file.replace("BUCKET", PROD).replace("PROJECT", PROD))
    return page.type(told("What exists already")[0])


def test_the_state_is_in_the_bucket_and_nowhere_else(life: Life) -> None:
    assert {"vertune/.pulumi/meta.yaml", "vertune/.pulumi/stacks/vertune/local.json"} <= life.state
    assert life.elsewhere == []


def test_apply_records_in_that_state(life: Life) -> None:
    assert life.tuned.keys() == {"one"}


def test_another_stack_reads_the_outputs(life: Life) -> None:
    assert life.endpoints == {"one": life.tuned["one"]["endpoint"]}


def test_an_update_that_the_plan_does_not_allow_is_not_made(life: Life) -> None:
    assert life.not_in_the_plan.returncode != 0
    assert "violates plan" in life.not_in_the_plan.stdout + life.not_in_the_plan.stderr
    assert life.labels == ["none", "planned"]


def test_the_lock_of_an_update_is_in_the_bucket_and_ends_with_it(life: Life) -> None:
    assert any("/locks/" in name for name in life.lock)
    assert life.locked.returncode == 1
    assert "another update of this stack is running" in life.locked.stderr
    assert not any("/locks/" in name for name in life.state)


def test_another_passphrase_opens_nothing(life: Life) -> None:
    assert life.without_passphrase.returncode == 1
    assert "incorrect passphrase" in life.without_passphrase.stderr
    assert "Traceback" not in life.without_passphrase.stderr


def test_what_exists_is_taken_over_below_its_component(life: Life) -> None:
    assert re.search(r"\+ 1 created\n +. 4 imported\n", life.imported), life.imported
    # The bucket's settings and the account's description; and nothing in their place.
    assert re.search(r"\+ 19 created\n +~ 2 updated\n", life.imported), life.imported


def test_what_was_taken_away_leaves_the_bucket_of_the_state(life: Life) -> None:
    assert "vertune/.pulumi/stacks/vertune/local.json" not in life.left
    assert "vertune/.pulumi/stacks/vertune/prod.json" in life.left
