"""Impersonation: short-lived tokens of a service account for who may take its place."""

import re
from datetime import UTC, datetime, timedelta

from jobs.emulator import tokens
from jobs.emulator.errors import invalid, not_found, rpc_error
from jobs.emulator.principals import Principals
from jobs.emulator.shapes import a_text, texts
from jobs.emulator.wire import Answer, Request, Route

_PATH = "/v1/projects/{project}/serviceAccounts/{account}:generateAccessToken"
_LONGEST = 3600


class Impersonation:
    """The service account credentials API; chains of delegates are not served."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    def routes(self) -> list[Route]:
        return [Route("POST", _PATH, self._generate)]

    def _generate(self, request: Request) -> Answer:
        body = request.json()
        if texts(body, "delegates"):
            raise rpc_error("UNIMPLEMENTED", "The emulator serves no chains of delegates.")
        if not texts(body, "scope"):
            raise invalid("scope is missing.")
        seconds = _seconds(a_text(body, "lifetime") or f"{_LONGEST}s")
        account = self._principals.account(request.params["account"])
        if account is None:
            raise not_found(f"Not found; Gaia id not found for email {request.params['account']}")
        if account.get("disabled"):
            raise rpc_error("FAILED_PRECONDITION", f"{account['email']} is disabled.")
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "accessToken": tokens.issue(account["email"], seconds),
            "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _seconds(lifetime: str) -> int:
    found = re.fullmatch(r"(\d{1,5})(\.\d+)?s", lifetime)
    if found is None or not 0 < int(found[1]) <= _LONGEST:
        raise invalid(f"lifetime must be at most {_LONGEST}s.")
    return int(found[1])
