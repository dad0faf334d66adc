"""Remote: in whose place a shell's calls are made, on the emulator and on Google Cloud."""

import json
from pathlib import Path

import pytest
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from jobs.emulator import tokens
from jobs.emulator.emulator import Emulator
from jobs.runner import remote
from jobs.runner.errors import Unreachable
from tests.emulator import issuer
from tests.emulator.wire import Wire
from tests.runner import shell

PROJECT = "/v1/projects/vertune-local"
EMAIL = "planner@vertune-local.iam.gserviceaccount.com"
POOL = "projects/0/locations/global/workloadIdentityPools/ci"
AUDIENCE = f"//iam.googleapis.com/{POOL}/providers/github"
MEMBER = f"principal://iam.googleapis.com/{POOL}/subject/s"


@pytest.fixture(autouse=True)
def _nobody_in_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(remote.IMPERSONATE, raising=False)


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    wire = Wire(emulator.url)
    wire.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "planner"})
    return wire


def signed_in_as(url: str) -> str | None:
    credentials = remote.credentials(url)
    if credentials.token is None:
        credentials.refresh(Request())
    return tokens.principal(str(credentials.token))


def pipeline(
    wire: Wire, folder: Path, monkeypatch: pytest.MonkeyPatch, provider: str = "github"
) -> None:
    """What the login step of a workflow leaves behind."""
    issuer.introduce(folder / "emulator")
    pools = f"{PROJECT}/locations/global/workloadIdentityPools"
    wire.call("POST", f"{pools}?workloadIdentityPoolId=ci", {})
    wire.call(
        "POST",
        f"{pools}/ci/providers?workloadIdentityPoolProviderId={provider}",
        {
            "oidc": {"issuerUri": issuer.GITHUB},
            "attributeMapping": {"google.subject": "assertion.sub"},
        },
    )
    (folder / "token").write_text(issuer.token("https:" + AUDIENCE, {"sub": "s"}), "utf-8")
    accounts = f"{wire.url}/v1/projects/-/serviceAccounts"
    config = {
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{wire.url}/v1/token",
        "credential_source": {"file": str(folder / "token")},
        "service_account_impersonation_url": f"{accounts}/{EMAIL}:generateAccessToken",
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "config.json"))


def test_on_the_emulator_a_shell_is_the_owner_unless_it_names_an_account(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remote.credentials(wire.url).token == "local"
    assert remote.acting_as() is None
    monkeypatch.setenv(remote.IMPERSONATE, EMAIL)
    assert signed_in_as(wire.url) == remote.acting_as() == EMAIL


def test_on_google_cloud_the_same_variable_means_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    monkeypatch.setenv(remote.IMPERSONATE, EMAIL)
    found = remote.credentials(None)
    assert type(found).__module__ == "google.auth.impersonated_credentials"
    assert getattr(found, "service_account_email", None) == EMAIL


def test_a_pipelines_token_is_exchanged_at_the_emulator_that_its_file_names(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(wire, tmp_path, monkeypatch)
    role = {"role": "roles/iam.workloadIdentityUser", "members": [MEMBER]}
    policy = {"policy": {"bindings": [role]}}
    wire.call("POST", f"{PROJECT}/serviceAccounts/{EMAIL}:setIamPolicy", policy)
    assert signed_in_as(wire.url) == remote.acting_as() == EMAIL


def test_a_refused_exchange_says_what_is_lacking_to_whom(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(wire, tmp_path, monkeypatch)
    with pytest.raises(GoogleAuthError) as refused:
        signed_in_as(wire.url)
    said = str(remote.no_credentials("reading the ledger", refused.value))
    assert f"may not take the place of {EMAIL}" in said
    assert "Permission 'iam.serviceAccounts.getAccessToken' denied on resource" in said


def test_a_pipelines_file_for_an_emulator_is_refused_for_google_cloud(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(wire, tmp_path, monkeypatch)
    with pytest.raises(Unreachable, match="is the emulator's key"):
        remote.credentials(None)
