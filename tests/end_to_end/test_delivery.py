"""Delivery: a pipeline's token walks all the way to the bucket, by what the program provisioned.

With all guardrails on, so that the engine makes and destroys all there can be, and as an account
that has the roles which docs/grants.md names for it and no others.

The stack is made and destroyed once; each test looks at one part of what happened meanwhile.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from google.auth import identity_pool
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from jobs.emulator.emulator import Emulator
from tests.emulator import issuer
from tests.emulator.wire import Wire
from tests.end_to_end.google import Google
from tests.end_to_end.pulumi import ROOT, Pulumi, Ran, ran, with_engine

POOLS = "/v1/projects/vertune-local/locations/global/workloadIdentityPools"
PROVIDER = "projects/0/locations/global/workloadIdentityPools/vertune/providers/github"
OBJECTS = "/storage/v1/b/vertune-local/o"
OURS = {"repository_id": "12", "repository_owner_id": "34", "sub": "repo:o/r:x"}
MAIN = OURS | {"ref": "refs/heads/main", "ref_protected": "true", "event_name": "push"}
PULL = OURS | {"ref": "refs/pull/7/merge", "ref_protected": "false", "event_name": "pull_request"}
GUARDRAILS = {
    "alertEmail": "a@example.com",
    "billingAccount": "000000-000000-000000",
    "monthlyUsd": "100",
}
BUDGETS = "/v1/billingAccounts/000000-000000-000000/budgets"
WALKS = {
    "pull request as planner": (PULL, "planner"),
    "branch as planner": (MAIN, "planner"),
    "branch as tuner": (MAIN, "tuner"),
    "pull request as tuner": (PULL, "tuner"),
    "another repository": (PULL | {"repository_id": "13"}, "planner"),
    "another owner": (MAIN | {"repository_owner_id": "35"}, "tuner"),
    "another branch": (MAIN | {"ref": "refs/heads/feature"}, "tuner"),
    "a fork's code": (MAIN | {"event_name": "pull_request_target"}, "planner"),
}

LOGIN = "pulumi login gs://team-state/vertune && "
KEEPS = f"{LOGIN} pulumi stack init dev && pulumi up --yes --skip-preview --stack dev"
READS = f"{LOGIN} pulumi preview --stack dev && pulumi stack output said --stack dev"
STATES = (
    ("keeps with no role", "", KEEPS),
    ("keeps as a viewer", "roles/storage.objectViewer", KEEPS),
    ("keeps as a user", "roles/storage.objectUser", KEEPS),
    ("reads as a viewer", "roles/storage.objectViewer", READS),
    ("changes as a viewer", "roles/storage.objectViewer", "pulumi up --yes --stack dev"),
)


@dataclass(frozen=True)
class Life:
    up: Ran
    again: Ran
    output: Ran
    answers: Mapping[str, tuple[int, int] | str]  # reading and writing, or why nobody got in
    states: Mapping[str, Ran]  # by who does what with Pulumi's state in a bucket
    destroyed: Ran
    left: object


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder = tmp_path_factory.mktemp("delivery")
    with Emulator(folder / "emulator", trainer="nearest") as emulator:
        issuer.introduce(folder / "emulator")
        pulumi = Pulumi(emulator.url, folder / "stack", account=_platform(Wire(emulator.url)))
        for key, number in (("repositoryId", "12"), ("ownerId", "34")):
            pulumi("config", "set", "--path", f"vertune:github.{key}", number)
        for key, value in (GUARDRAILS | {"deletionProtection": "false"}).items():
            pulumi("config", "set", f"vertune:{key}", value)
        yield Life(
            pulumi.up(),
            pulumi("preview", "--expect-no-changes"),
            pulumi("stack", "output", "workload_identity_provider", settings=False),
            {name: _walked(emulator.url, folder, *walk) for name, walk in WALKS.items()},
            _states(Wire(emulator.url), folder / "state"),
            pulumi("destroy", "--yes", "--skip-preview", "--suppress-progress"),
            [requests.get(emulator.url + path, timeout=10).json() for path in (POOLS, BUDGETS)],
        )


def _platform(owner: Wire) -> str:
    """Who provisions the stack."""
    project = "/v1/projects/vertune-local"
    owner.call("POST", f"{project}/serviceAccounts", {"accountId": "platform"})
    email = "platform@vertune-local.iam.gserviceaccount.com"
    page = (ROOT / "docs/grants.md").read_text("utf-8")
    (row,) = re.findall(r"^Whoever runs `pulumi up` needs (.*)$", page, re.MULTILINE)
    for place, named in {project: row.split(";")[0], BUDGETS: row.split(";")[1]}.items():
        roles = re.findall(r"`(roles/[\w.]+)`", named)
        assert roles
        members = [f"serviceAccount:{email}"]
        policy = {"bindings": [{"role": role, "members": members} for role in roles]}
        place = place.removesuffix("/budgets")
        owner.call("POST", f"{place}:setIamPolicy", {"policy": policy})
    return email


def _walked(url: str, folder: Path, claims: dict[str, str], account: str) -> tuple[int, int] | str:
    """As the login step of a workflow does, by Google's own library; then the bucket is asked."""
    file = folder / "token"
    file.write_text(issuer.token(f"https://iam.googleapis.com/{PROVIDER}", claims), "utf-8")
    email = f"vertune-{account}@vertune-local.iam.gserviceaccount.com"
    key = issuer.key_file(PROVIDER, email, file, exchange=url, impersonate=url)
    scope = "https://www.googleapis.com/auth/cloud-platform"
    credentials = identity_pool.Credentials.from_info(key, scopes=[scope])
    with requests.Session() as session:
        try:
            credentials.refresh(Request(session))
        except GoogleAuthError as error:
            return str(error)
        session.headers["Authorization"] = f"Bearer {credentials.token}"
        upload = f"{url}/upload{OBJECTS}?uploadType=media&name=ledger/x.json"
        reading, writing = session.get(url + OBJECTS), session.post(upload, data="{}")
        return reading.status_code, writing.status_code


def _states(owner: Wire, folder: Path) -> Mapping[str, Ran]:
    """The branch as the tuner, with a stack's state in a bucket, Google's hosts by their names."""
    folder.mkdir()
    owner.call("POST", "/storage/v1/b?project=vertune-local", {"name": "team-state"})
    (folder / "Pulumi.yaml").write_text("name: small\nruntime: python\n", "utf-8")
    (folder / "__main__.py").write_text("import pulumi\npulumi.export('said', 1)\n", "utf-8")
    found = {}
    with Google(owner.url, folder) as google:
        environment = {**_branch_signed_in(folder), **google.environment}
        for does, role, script in STATES:
            members = ["serviceAccount:vertune-tuner@vertune-local.iam.gserviceaccount.com"]
            bindings = [{"role": role, "members": members}] if role else []
            owner.call("PUT", "/storage/v1/b/team-state/iam", {"bindings": bindings})
            found[does] = ran(["sh", "-ec", script], folder, environment)
    return found


def _branch_signed_in(folder: Path) -> dict[str, str]:
    """What a workflow's shell has, and nothing by which the engine could tell an emulator."""
    token, key = folder / "token", folder / "key.json"
    token.write_text(issuer.token(f"https://iam.googleapis.com/{PROVIDER}", MAIN), "utf-8")
    email = "vertune-tuner@vertune-local.iam.gserviceaccount.com"
    key.write_text(json.dumps(issuer.key_file(PROVIDER, email, token)), "utf-8")
    ours = ("GOOGLE_", "PULUMI_", "STORAGE_", "VERTUNE_")
    found = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    found |= {"GOOGLE_APPLICATION_CREDENTIALS": str(key), "PULUMI_CONFIG_PASSPHRASE": ""}
    return with_engine({**found, "PULUMI_HOME": str(folder / "home")})


def test_up_makes_it_once_and_for_all(life: Life) -> None:
    assert life.up.code == 0, life.up.text
    assert life.again.code == 0, life.again.text
    assert life.output.text.strip() == PROVIDER


def test_a_pull_request_reads_and_writes_nothing(life: Life) -> None:
    assert life.answers["pull request as planner"] == (200, 403)
    assert life.answers["branch as planner"] == (200, 403)


def test_the_protected_branch_tunes(life: Life) -> None:
    assert life.answers["branch as tuner"] == (200, 200)


@pytest.mark.parametrize("walk", ["another repository", "another owner"])
def test_the_tokens_of_others_are_not_even_exchanged(life: Life, walk: str) -> None:
    assert "attribute condition" in str(life.answers[walk])


@pytest.mark.parametrize("walk", ["pull request as tuner", "another branch", "a fork's code"])
def test_nothing_but_the_branch_becomes_the_tuner(life: Life, walk: str) -> None:
    assert "iam.serviceAccounts.getAccessToken" in str(life.answers[walk])


def test_destroy_takes_it_all_away(life: Life) -> None:
    assert life.destroyed.code == 0, life.destroyed.text
    assert life.left == [{"workloadIdentityPools": []}, {"budgets": []}]


def test_who_has_the_role_on_the_bucket_keeps_the_state_in_it(life: Life) -> None:
    kept = life.states["keeps as a user"]
    assert kept.code == 0, kept.text


def test_who_may_only_read_it_previews(life: Life) -> None:
    read = life.states["reads as a viewer"]
    assert read.code == 0, read.text
    assert read.text.endswith("1\n")


@pytest.mark.parametrize(
    ("does", "missing"),
    [
        ("keeps with no role", "storage.objects.list"),
        ("keeps as a viewer", "storage.objects.create"),
        ("changes as a viewer", "storage.objects.create"),
    ],
)
def test_without_the_role_the_engine_names_the_permission(
    life: Life, does: str, missing: str
) -> None:
    refused = life.states[does]
    assert refused.code != 0
    assert f"vertune-tuner@vertune-local.iam.gserviceaccount.com does not have {missing}" in (
        refused.text
    )
