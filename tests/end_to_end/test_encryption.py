"""Encryption: a stack with a key of its own, under the genuine engine, with IAM enforced."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.emulator.emulator import Emulator
from tests.emulator.wire import Wire
from tests.end_to_end.pulumi import Pulumi, Ran

RINGS = "/v1/projects/vertune-local-prod/locations/us-central1/keyRings"  # another team's
KEY = f"{RINGS}/ring/cryptoKeys/key"
PROJECT = "/v1/projects/vertune-local"
EMAIL = "vertune-{}@vertune-local.iam.gserviceaccount.com"
USES = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
REFRESH = ("preview", "--refresh", "--expect-no-changes")


@dataclass(frozen=True)
class Life:
    first: Ran
    bucket: dict[str, Any]
    users: set[str]
    planned: Ran
    planned_without: Ran
    recorded: Ran
    recorded_without: Ran
    destroyed: Ran
    left: dict[str, Any]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("encryption")
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        yield _lived(Wire(emulator.url), folder)


def _lived(owner: Wire, folder: Path) -> Life:
    owner.call("POST", f"{RINGS}?keyRingId=ring", {})
    owner.call("POST", f"{RINGS}/ring/cryptoKeys?cryptoKeyId=key", {})
    pulumi = Pulumi(owner.url, folder / "stack")
    pulumi("config", "set", "vertune:kmsKey", KEY.removeprefix("/v1/"))
    pulumi("config", "set", "vertune:deletionProtection", "false")
    first = pulumi.up()
    planner, tuner = (pulumi.acting_as(EMAIL.format(one)) for one in ("planner", "tuner"))
    kept = owner.call("GET", f"{KEY}:getIamPolicy")
    planned, recorded = planner(*REFRESH), tuner.up()
    _write(owner, KEY, [one for one in kept["bindings"] if one["role"] == USES])
    planned_without = planner(*REFRESH)
    _write(owner, KEY, kept["bindings"])
    project = owner.call("POST", f"{PROJECT}:getIamPolicy")["bindings"]
    _write(owner, PROJECT, [one for one in project if "KeyUser" not in one["role"]])
    recorded_without = tuner.up()
    _write(owner, PROJECT, project)
    return Life(
        first,
        owner.call("GET", "/storage/v1/b/vertune-local"),
        {one for each in kept["bindings"] if each["role"] == USES for one in each["members"]},
        planned,
        planned_without,
        recorded,
        recorded_without,
        pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress"),
        owner.call("GET", f"{KEY}:getIamPolicy"),
    )


def _write(owner: Wire, resource: str, bindings: list[dict[str, Any]]) -> None:
    policy = {"version": 3, "bindings": bindings}
    owner.call("POST", f"{resource}:setIamPolicy", {"policy": policy})


def test_the_bucket_is_made_once_its_agent_may_use_the_key(life: Life) -> None:
    assert life.first.code == 0, life.first.text
    assert life.bucket["encryption"] == {"defaultKmsKeyName": KEY.removeprefix("/v1/")}
    agents = ("gs-project-accounts", "gcp-sa-aiplatform")
    domain = "iam.gserviceaccount.com"
    assert life.users == {f"serviceAccount:service-0@{one}.{domain}" for one in agents}


def test_the_pipelines_accounts_look_at_it_with_no_more_than_their_roles(life: Life) -> None:
    assert life.planned.code == 0, life.planned.text
    assert life.recorded.code == 0, life.recorded.text
    assert life.recorded.counts.keys() == {"unchanged"}


def test_without_either_role_they_are_refused_by_the_permissions_name(life: Life) -> None:
    assert life.planned_without.code != 0
    assert "cloudkms.cryptoKeys.getIamPolicy" in life.planned_without.text
    assert life.recorded_without.code != 0
    assert "resourcemanager.projects.get" in life.recorded_without.text


def test_what_is_taken_down_leaves_the_key_as_it_was(life: Life) -> None:
    assert life.destroyed.code == 0, life.destroyed.text
    assert "bindings" not in life.left
