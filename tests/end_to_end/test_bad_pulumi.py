"""What Pulumi is given wrongly: it says which resource or setting, and what to change."""

import os
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import requests

from jobs.emulator import environment
from jobs.runner import remote
from tests.conftest import STACK_SETTINGS, laid_out
from tests.end_to_end.world import World

OTHER = "vertune-local-prod"
SOMEBODY = "somebody@vertune-local.iam.gserviceaccount.com"
CLOUD = """\
config:
  gcp:project: my-project-dev
  gcp:region: us-central1
  vertune:bucket: my-project-dev-vertune
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nothing is provisioned; each test has a stack of its own, in the emulator's other project.

    With accounts and roles of its own, too: those that another's update got to would be in its way.
    """
    made = World.make(laid_out(tmp_path_factory.mktemp("bad") / "repository"))
    try:
        made.start()
        yield made
    finally:
        made.close()


def stack(world: World, name: str, settings: str | None = None) -> None:
    mine = STACK_SETTINGS.replace("bucket: vertune-local", f"bucket: bad-{name}")
    mine = mine.replace("project: vertune-local", f"project: {OTHER}")
    mine = settings or f"{mine}  vertune:prefix: bad-{name}\n"
    (world.repository.root / f"Pulumi.{name}.yaml").write_text(mine, "utf-8")
    world.done("pulumi", "stack", "init", name)


def refused(ended: "subprocess.CompletedProcess[str]") -> str:
    """What a command says that must fail."""
    assert ended.returncode != 0
    return ended.stdout + ended.stderr


def up(world: World, name: str) -> str:
    return refused(world.run("pulumi", "up", "--yes", "--skip-preview", "--stack", name))


def call(world: World, method: str, path: str, body: Any) -> None:
    url = world.server()["url"] + path
    requests.request(method, url, json=body, timeout=10).raise_for_status()


def exists(world: World, bucket: str) -> bool:
    url = f"{world.server()['url']}/storage/v1/b/{bucket}"
    return requests.get(url, timeout=10).status_code == 200


def test_a_stack_of_the_cloud_in_the_shell_of_the_emulator(world: World) -> None:
    stack(world, "dev", CLOUD)
    said = up(world, "dev")
    assert "Pulumi.dev.yaml cannot be used:" in said
    assert "unset it, or select the stack of the emulator" in said
    ours = refused(world.run("vertune", "--stack", "dev", "plan"))
    assert "is the emulator's key, which is worth nothing on Google Cloud; open a new shell" in ours


def test_a_stack_that_is_not_there(world: World) -> None:
    assert "no stack named 'lokal'" in refused(world.run("pulumi", "preview", "--stack", "lokal"))
    shell = World(world.repository, {**world.environment, "VERTUNE_STACK": "lokal"})
    assert refused(shell.run("vertune", "plan")) == (
        'there is no stack "lokal" (Pulumi.lokal.yaml is missing); did you mean "local"?\n'
    )


def test_a_bucket_whose_name_another_project_has(world: World) -> None:
    stack(world, "taken")
    call(world, "POST", "/storage/v1/b?project=vertune-local", {"name": "bad-taken"})
    said = up(world, "taken")
    assert "gcp:storage:Bucket (tuning)" in said, said
    assert "The requested bucket name is not available." in said
    assert "Please select a different name and try again." in said


def test_a_project_without_billing(world: World) -> None:
    stack(world, "unpaid")
    billing = f"/v1/projects/{OTHER}/billingInfo"
    call(world, "PUT", billing, {"billingAccountName": ""})
    try:
        said = up(world, "unpaid")
    finally:
        call(world, "PUT", billing, {"billingAccountName": "billingAccounts/1"})
    assert "gcp:storage:Bucket (tuning)" in said, said
    assert "The billing account for the owning project is disabled" in said
    assert not exists(world, "bad-unpaid")


def test_an_account_of_another_project_than_the_stacks(world: World) -> None:
    stack(world, "strange")
    call(world, "POST", "/v1/projects/vertune-local/serviceAccounts", {"accountId": "somebody"})
    mine = {**world.environment, remote.IMPERSONATE: SOMEBODY}
    said = up(World(world.repository, mine), "strange")
    assert "403" in said
    assert "serviceusage.services" in said
    assert f"projects/{OTHER}" in said
    assert not exists(world, "bad-strange")


def test_a_plugin_that_is_too_old(world: World) -> None:
    """It is not taken; the version that is needed is named."""
    stack(world, "old")
    ours = str(Path(environment.__file__).parent / "plugin")
    path = [one for one in world.environment["PATH"].split(os.pathsep) if one != ours]
    old = Path(world.environment["PULUMI_HOME"]) / "plugins/resource-gcp-v9.0.0"
    old.mkdir(parents=True)
    (old / "pulumi-resource-gcp").touch(0o755)
    said = up(World(world.repository, {**world.environment, "PATH": os.pathsep.join(path)}), "old")
    needed = metadata.version("pulumi-gcp")
    assert f"in the workspace at version v{needed} or on your $PATH" in " ".join(said.split())
    assert not exists(world, "bad-old")
