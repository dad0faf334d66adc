"""Wire: plain HTTP calls to an emulator, for services that no Python client of Google's covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

Body = dict[str, Any]


@dataclass(frozen=True)
class Wire:
    url: str
    token: str = ""  # none is the owner's

    def impersonating(self, email: str) -> "Wire":
        """The same calls as a service account makes them."""
        path = f"/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        return Wire(self.url, self.call("POST", path, {"scope": ["any"]})["accessToken"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Body:
        """The answer to a call that must succeed."""
        status, answer = self.ask(method, path, body)
        assert status == 200, (status, answer)
        return answer

    def refused(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, str]:
        """Status and message of a call that must fail."""
        status, answer = self.ask(method, path, body)
        assert status >= 400, (status, answer)
        return status, answer["error"]["message"]

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, Body]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=10)
        kind = answer.headers.get("Content-Type", "")
        return answer.status_code, answer.json() if "json" in kind else {}
