"""Tokens: Google's own library gets one with the generated key file."""

import base64
import json
import time
from pathlib import Path

import pytest
import requests
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from jobs.emulator import tokens
from jobs.emulator.credentials import write_key_file
from jobs.emulator.emulator import Emulator

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE = "https://oauth2.googleapis.com/token"
OWNER = "owner@vertune-local.iam.gserviceaccount.com"


@pytest.fixture
def key_file(tmp_path: Path, emulator: Emulator) -> Path:
    path = tmp_path / "key.json"
    write_key_file(path, emulator.url, "vertune-local", OWNER)
    return path


def credentials(key_file: Path) -> Credentials:
    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    owner: Credentials = Credentials.from_service_account_file(str(key_file), scopes=scopes)
    return owner


def test_a_key_file_is_exchanged_for_a_token_that_stands_for_its_account(key_file: Path) -> None:
    owner = credentials(key_file)
    with requests.Session() as session:
        owner.refresh(Request(session))
    assert tokens.principal(str(owner.token)) == OWNER


def assertion(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": GRANT}, "invalid_grant"),
        ({"grant_type": GRANT, "assertion": "a.b.c"}, "invalid_grant"),
        ({"grant_type": GRANT, "assertion": assertion(aud=GOOGLE, exp=9e9)}, "invalid_grant"),
        ({"grant_type": GRANT, "assertion": assertion(iss=OWNER, exp=9e9)}, "invalid_grant"),
        (
            {"grant_type": GRANT, "assertion": assertion(iss=OWNER, aud=GOOGLE, exp=1)},
            "invalid_grant",
        ),
        (
            {
                "grant_type": GRANT,
                "assertion": assertion(iss=OWNER, aud=GOOGLE, exp=9e9, target_audience="x"),
            },
            "invalid_request",
        ),
    ],
)
def test_anything_else_is_refused_in_oauths_words(
    emulator: Emulator, form: dict[str, str], error: str
) -> None:
    answer = requests.post(f"{emulator.url}/token", data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_assertion_may_name_the_emulator_as_its_audience(emulator: Emulator) -> None:
    claims = assertion(iss=OWNER, aud=f"{emulator.url}/token", exp=9e9)
    form = {"grant_type": GRANT, "assertion": claims}
    answer = requests.post(f"{emulator.url}/token", data=form, timeout=10)
    assert tokens.principal(answer.json()["access_token"]) == OWNER


def test_a_token_ends_with_its_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = tokens.issue(OWNER), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    assert tokens.principal(token) is None


@pytest.mark.parametrize("token", ["", "local", "local-", "local-%%%", "ya29.x"])
def test_a_token_of_other_make_stands_for_nobody(token: str) -> None:
    assert tokens.principal(token) is None
