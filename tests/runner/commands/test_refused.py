"""What a project or an account lost: each command says what, where and what next, and goes on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import Result

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.client import FaultsClient
from jobs.runner import remote
from jobs.runner.commands import Place
from tests.conftest import Repository
from tests.emulator.wire import Wire
from tests.runner.commands.calls import vertune

PROJECT = "/v1/projects/vertune-local"
VERTEX = f"{PROJECT}/services/aiplatform.googleapis.com"
EMAIL = "somebody@vertune-local.iam.gserviceaccount.com"
ACCOUNT = f"{PROJECT}/serviceAccounts/{EMAIL}"
REFUSED = '- {name: once, method: GET, path: "*/tuningJobs/*", status: 401, times: 1}'
_ROLES = ("roles/aiplatform.user", "roles/storage.admin")


@dataclass(frozen=True)
class Site:
    repository: Repository
    owner: Wire

    def apply(self, *words: str) -> Result:
        return vertune(self.repository, "apply", "--yes", "--no-record", *words)

    def refused(self) -> str:
        """The last line of an apply that is refused, and begins nothing."""
        result = self.apply()
        assert result.exit_code == 1
        assert self.jobs() == 0
        return result.stderr.splitlines()[-1]

    def jobs(self) -> int:
        path = f"{PROJECT}/locations/us-central1/tuningJobs"
        status, body = self.owner.ask("GET", path)
        return len(body.get("tuningJobs", ())) if status == 200 else 0


@pytest.fixture
def site(provisioned: Repository, emulator: Emulator) -> Site:
    provisioned.job("one")
    return Site(provisioned, Wire(emulator.url))


@pytest.fixture
def account(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The account in whose place this shell is."""
    site.owner.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "somebody"})
    members = [f"serviceAccount:{EMAIL}"]
    policy: Any = {"bindings": [{"role": role, "members": members} for role in _ROLES]}
    site.owner.call("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})
    monkeypatch.setenv(remote.IMPERSONATE, EMAIL)
    yield EMAIL
    remote._shared.cache_clear()


def test_an_api_that_was_disabled_by_hand(site: Site) -> None:
    site.owner.call("POST", f"{VERTEX}:disable")
    said = site.refused()
    assert said.startswith("listing tuning jobs: 403 PERMISSION_DENIED: Vertex AI API has not been")
    assert said.endswith("; `pulumi up --refresh` of this stack enables what the stack needs")
    site.owner.call("POST", f"{VERTEX}:enable")
    assert site.apply().exit_code == 0


def test_a_project_without_billing(site: Site) -> None:
    site.owner.call("PUT", f"{PROJECT}/billingInfo", {"billingAccountName": ""})
    said = site.refused()
    assert said.startswith("reading the ledger: 403 accountDisabled: The billing account for")
    assert "`gcloud billing projects link PROJECT --billing-account ACCOUNT` links one" in said
    site.owner.call("PUT", f"{PROJECT}/billingInfo", {"billingAccountName": "billingAccounts/1"})
    assert site.apply().exit_code == 0


def test_a_token_that_ends_in_mid_run_is_followed_by_another(site: Site, account: str) -> None:
    faults = FaultsClient(site.owner.url)
    faults.write(REFUSED, "rules")
    result = site.apply()
    assert [rule["hits"] for rule in faults.listed()] == [1]
    assert result.exit_code == 0, result.output
    assert not re.search(r"\b401\b", result.stderr)  # a job's number may have these digits


def test_an_account_that_was_deleted_while_its_job_runs(
    site: Site, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.apply("--no-wait").exit_code == 0
    site.owner.call("DELETE", ACCOUNT)
    result = site.apply()
    assert result.exit_code == 1
    assert f"{account} is not there (Not found; " in result.stderr
    assert "if it was deleted, `pulumi up --refresh` of its stack makes it anew" in result.stderr
    monkeypatch.delenv(remote.IMPERSONATE)
    assert "one: adopted" in site.apply().stderr
    assert site.jobs() == 1


def test_a_stack_of_another_project_than_the_account_is_of(site: Site, account: str) -> None:
    """What the account may in its own project counts for nothing there."""
    settings = site.repository.root / "Pulumi.local.yaml"
    other = settings.read_text("utf-8").replace("vertune-local", "vertune-local-prod")
    (site.repository.root / "Pulumi.prod.yaml").write_text(other, "utf-8")
    bucket = {"name": "vertune-local-prod"}
    site.owner.call("POST", "/storage/v1/b?project=vertune-local-prod", bucket)
    result = vertune(site.repository, "apply", "--yes", stack="prod")
    assert result.exit_code == 1
    assert f"{account} does not have storage.objects.list access" in result.stderr
    assert f"asked as {account}" in result.stderr


def test_a_bucket_that_another_stack_has_is_not_used(site: Site) -> None:
    assert site.apply().exit_code == 0
    settings = site.repository.root / "Pulumi.local.yaml"
    (site.repository.root / "Pulumi.twin.yaml").write_text(settings.read_text("utf-8"), "utf-8")
    site.repository.job("two")
    result = vertune(site.repository, "apply", "--yes", stack="twin")
    assert result.exit_code == 1
    assert "belongs to stack local of project vertune" in result.stderr
    assert "two" not in Place("local", site.repository.root).ledger.recorded()
