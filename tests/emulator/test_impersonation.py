"""Impersonation: Google's own library takes the place of an account, if its policy says so."""

import pytest
from google.auth.exceptions import RefreshError
from google.auth.impersonated_credentials import Credentials
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials as Token

from jobs.emulator import tokens
from tests.emulator.wire import Wire

PROJECT = "/v1/projects/vertune-local"
TUNER = "tuner-1@vertune-local.iam.gserviceaccount.com"
ANNA = "anna-1@vertune-local.iam.gserviceaccount.com"
GENERATE = f"/v1/projects/-/serviceAccounts/{TUNER}:generateAccessToken"


@pytest.fixture(autouse=True)
def accounts(wire: Wire) -> None:
    for email in (TUNER, ANNA):
        id = email.partition("@")[0]
        wire.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": id})


def allow(wire: Wire, member: str) -> None:
    role = "roles/iam.serviceAccountTokenCreator"
    policy = {"bindings": [{"role": role, "members": [member]}]}
    wire.call("POST", f"{PROJECT}/serviceAccounts/{TUNER}:setIamPolicy", {"policy": policy})


def as_tuner(wire: Wire) -> Credentials:
    return Credentials(
        source_credentials=Token(token=wire.token),
        target_principal=TUNER,
        target_scopes=["https://www.googleapis.com/auth/cloud-platform"],
        iam_endpoint_override=f"{wire.url}/v1/projects/-/serviceAccounts/{TUNER}:generateAccessToken",
        lifetime=600,
    )


def test_who_has_the_role_on_the_account_acts_as_it(wire: Wire) -> None:
    allow(wire, f"serviceAccount:{ANNA}")
    credentials = as_tuner(wire.impersonating(ANNA))
    credentials.refresh(Request())
    claims = tokens.claims_of(str(credentials.token))
    assert claims is not None
    assert claims["email"] == TUNER


def test_who_has_it_not_is_refused(wire: Wire) -> None:
    with pytest.raises(RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
        as_tuner(wire.impersonating(ANNA)).refresh(Request())


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"scope": "any"}, 400),
        ({"scope": ["any"], "lifetime": "2h"}, 400),
        ({"scope": ["any"], "lifetime": "3601s"}, 400),
        ({"scope": ["any"], "delegates": ["x"]}, 501),
    ],
)
def test_what_is_not_served_is_refused(wire: Wire, body: dict[str, object], status: int) -> None:
    assert wire.refused("POST", GENERATE, body)[0] == status


def test_nobody_acts_as_an_account_that_is_missing_or_disabled(wire: Wire) -> None:
    assert wire.refused("POST", GENERATE.replace("tuner-1", "ghost-1"), {"scope": ["x"]})[0] == 404
    wire.call("POST", f"{PROJECT}/serviceAccounts/{TUNER}:disable")
    assert wire.refused("POST", GENERATE, {"scope": ["x"]})[0] == 400
