"""Federation: a pipeline's identity token becomes a token here, as its pool's provider allows."""

import json
from pathlib import Path

import pytest
import requests
from google.auth import identity_pool
from google.auth.transport.requests import Request

from jobs.emulator import tokens
from jobs.emulator.provider.client import Client, Refused
from jobs.emulator.provider.servicer import configured
from tests.emulator import issuer
from tests.emulator.wire import Wire

PROJECT = "/v1/projects/vertune-local"
POOLS = f"{PROJECT}/locations/global/workloadIdentityPools"
POOL = "projects/0/locations/global/workloadIdentityPools/ci"
AUDIENCE = f"//iam.googleapis.com/{POOL}/providers/github"
TUNER = "tuner-1@vertune-local.iam.gserviceaccount.com"
CLAIMS = {"sub": "repo:o/r:ref:refs/heads/main", "repository_id": "12", "ref": "refs/heads/main"}
MAPPING = {
    "google.subject": "assertion.sub",
    "attribute.repository_id": "assertion.repository_id",
    "attribute.where": "assertion.repository_id + '@' + assertion.ref",
}


@pytest.fixture(autouse=True)
def provider(wire: Wire, tmp_path: Path) -> None:
    issuer.introduce(tmp_path / "emulator")
    wire.call("POST", f"{POOLS}?workloadIdentityPoolId=ci", {})
    provide(wire, "github")


def provide(wire: Wire, id: str, **oidc: object) -> None:
    body = {
        "oidc": {"issuerUri": issuer.GITHUB, **oidc},
        "attributeMapping": MAPPING,
        "attributeCondition": "assertion.repository_id == '12'",
    }
    wire.call("POST", f"{POOLS}/ci/providers?workloadIdentityPoolProviderId={id}", body)


def exchange(wire: Wire, token: str, audience: str = AUDIENCE) -> tuple[int, dict[str, str]]:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": audience,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    }
    answer = requests.post(f"{wire.url}/v1/token", data=form, timeout=10)
    return answer.status_code, dict(answer.json())


def good(**claims: object) -> str:
    return issuer.token("https:" + AUDIENCE, CLAIMS | claims)


def test_a_token_stands_for_its_subject_and_for_the_sets_it_is_in(wire: Wire) -> None:
    status, answer = exchange(wire, good())
    assert status == 200, answer
    claims = tokens.claims_of(answer["access_token"])
    assert claims is not None
    assert claims["email"] == f"principal://iam.googleapis.com/{POOL}/subject/{CLAIMS['sub']}"
    assert claims["sets"] == [
        f"principalSet://iam.googleapis.com/{POOL}/{one}"
        for one in ("attribute.repository_id/12", "attribute.where/12@refs/heads/main", "*")
    ]


def test_googles_library_walks_all_the_way_to_an_account(wire: Wire, tmp_path: Path) -> None:
    wire.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "tuner-1"})
    file = tmp_path / "token"
    file.write_text(good(), "utf-8")
    account = f"{wire.url}/v1/projects/-/serviceAccounts/{TUNER}:generateAccessToken"
    credentials = identity_pool.Credentials(
        audience=AUDIENCE,
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url=f"{wire.url}/v1/token",
        credential_source={"file": str(file)},
        service_account_impersonation_url=account,
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )
    with pytest.raises(Exception, match=r"iam\.serviceAccounts\.getAccessToken"):
        credentials.refresh(Request())
    member = f"principalSet://iam.googleapis.com/{POOL}/attribute.where/12@refs/heads/main"
    policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [member]}]}
    wire.call("POST", f"{PROJECT}/serviceAccounts/{TUNER}:setIamPolicy", {"policy": policy})
    credentials.refresh(Request())
    assert tokens.principal(str(credentials.token)) == TUNER


@pytest.mark.parametrize(
    ("token", "error", "said"),
    [
        (lambda: good(repository_id="13"), "invalid_grant", "rejected by the attribute condition"),
        (lambda: good(iss="https://evil.example"), "invalid_grant", "does not match"),
        (lambda: good(sub=""), "invalid_grant", "google.subject"),
        (lambda: good(exp=1), "invalid_grant", "expired"),
        (lambda: issuer.token("https://other", CLAIMS), "invalid_grant", "audience"),
        (
            lambda: issuer.token("https:" + AUDIENCE, CLAIMS, "second"),
            "invalid_grant",
            "verify",
        ),
        (lambda: "rubbish", "invalid_grant", "segments"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(
    wire: Wire, token: object, error: str, said: str
) -> None:
    assert callable(token)
    status, answer = exchange(wire, token())
    assert (status, answer["error"]) == (400, error)
    assert said in answer["error_description"]


@pytest.mark.parametrize("audience", ["", "github", AUDIENCE + "x", AUDIENCE.split("/prov")[0]])
def test_an_audience_that_is_no_provider_is_refused(wire: Wire, audience: str) -> None:
    assert exchange(wire, good(), audience)[1]["error"] == "invalid_target"


def test_a_disabled_pool_lets_nobody_in(wire: Wire) -> None:
    wire.call("PATCH", f"{POOLS}/ci?updateMask=disabled", {"disabled": True})
    assert exchange(wire, good())[1]["error"] == "invalid_target"


def test_keys_may_stand_in_the_provider_itself(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "emulator/issuers.json").unlink()
    assert "has no keys of" in exchange(wire, good())[1]["error_description"]
    provide(wire, "own-keys", jwksJson=json.dumps(issuer.keys()), allowedAudiences=["me"])
    audience = AUDIENCE.replace("github", "own-keys")
    assert exchange(wire, issuer.token("me", CLAIMS), audience)[0] == 200


def test_the_form_that_googles_action_sends_is_taken_too(wire: Wire) -> None:
    body = {
        "grantType": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": AUDIENCE,
        "subjectToken": good(),
        "subjectTokenType": "urn:ietf:params:oauth:token-type:jwt",
    }
    assert requests.post(f"{wire.url}/v1/token", json=body, timeout=10).status_code == 200


def test_a_provider_with_a_condition_that_is_no_expression_is_refused(wire: Wire) -> None:
    path = f"{POOLS}/ci/providers/github?updateMask=attributeCondition"
    status, message = wire.refused("PATCH", path, {"attributeCondition": "assertion.sub =="})
    assert status == 400
    assert "Invalid expression" in message


def test_the_provider_plugin_exchanges_it_as_its_key_file_says(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = wire.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "tuner-1"})["name"]
    everybody = f"principalSet://iam.googleapis.com/{POOL}/*"
    token, key = tmp_path / "token", tmp_path / "key.json"
    token.write_text(good(), "utf-8")
    name = AUDIENCE.removeprefix("//iam.googleapis.com/")
    key.write_text(
        json.dumps(issuer.key_file(name, TUNER, token, exchange=wire.url, impersonate=wire.url))
    )
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    with pytest.raises(Refused, match=r"iam\.serviceAccounts\.getAccessToken"):
        configured(Client(wire.url, "vertune-local"), {})
    binding = {"role": "roles/iam.workloadIdentityUser", "members": [everybody]}
    wire.call("POST", f"/v1/{account}:setIamPolicy", {"policy": {"bindings": [binding]}})
    claims = tokens.claims_of(configured(Client(wire.url, "vertune-local"), {}).token)
    assert claims is not None
    assert claims["email"] == TUNER
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))
    assert configured(Client(wire.url, "vertune-local"), {}).token == ""
