"""Wire: plain HTTP calls to an emulator, for services that no Python client of Google's covers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

Body = dict[str, Any]


@dataclass(frozen=True)
class Wire:
    url: str

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
        answer = requests.request(method, self.url + path, json=body, timeout=10)
        return answer.status_code, answer.json() if answer.content else {}
