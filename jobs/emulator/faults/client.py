"""Client: the rules of a running emulator, read, replaced, cleared and waited for by its URL."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jobs.emulator.faults.injection import CONTROL
from jobs.emulator.faults.reading import RulesError


@dataclass(frozen=True)
class FaultsClient:
    url: str
    seconds: float = 30.0  # that an answer may take

    def listed(self) -> list[dict[str, Any]]:
        """The fields of each rule, and how many requests it has `seen`, `hits`, has `held` now."""
        return self._rules("GET")

    def write(self, text: str, source: str) -> list[dict[str, Any]]:
        """Replace all rules by those of a text, whose problems are said to be in `source`."""
        return self._rules("PUT", "?" + urlencode({"source": source}), text.encode())

    def clear(self) -> None:
        self._rules("DELETE")

    def wait(self, name: str, hits: int = 1, seconds: int = 30) -> None:
        """Until a rule has so many hits; TimeoutError in the end."""
        query = urlencode({"hits": hits, "seconds": seconds})
        self._call("GET", f"/{quote(name)}?{query}", waiting=seconds)

    def _rules(
        self, method: str, more: str = "", body: bytes | None = None
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call(method, more, body)["faults"]
        return found

    def _call(
        self, method: str, more: str, body: bytes | None = None, waiting: float = 0.0
    ) -> dict[str, Any]:
        # Directly: a proxy would not reach this machine's loopback.
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=self.seconds + waiting)
        try:
            connection.request(method, CONTROL + more, body)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 504:
            raise TimeoutError(answer["error"]["message"])
        if response.status >= 400:
            raise RulesError([answer["error"]["message"]])
        return answer
