"""Delivery: a pipeline's token walks all the way to the bucket, by what the program provisioned.

With all guardrails on, so that the engine makes and destroys all there can be, and as an account
that has the roles which docs/grants.md names for it and no others.

The stack is made and destroyed once; each test looks at one part of what happened meanwhile.
"""

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
from tests.end_to_end.pulumi import ROOT, Pulumi, Ran

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


@dataclass(frozen=True)
class Life:
    up: Ran
    again: Ran
    output: Ran
    answers: Mapping[str, tuple[int, int] | str]  # reading and writing, or why nobody got in
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
    credentials = identity_pool.Credentials(
        audience=f"//iam.googleapis.com/{PROVIDER}",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url=f"{url}/v1/token",
        credential_source={"file": str(file)},
        service_account_impersonation_url=(
            f"{url}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        ),
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )
    with requests.Session() as session:
        try:
            credentials.refresh(Request(session))
        except GoogleAuthError as error:
            return str(error)
        session.headers["Authorization"] = f"Bearer {credentials.token}"
        upload = f"{url}/upload{OBJECTS}?uploadType=media&name=ledger/x.json"
        reading, writing = session.get(url + OBJECTS), session.post(upload, data="{}")
        return reading.status_code, writing.status_code


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
