"""Client: HTTP calls of the provider to the emulator; a refusal is an error with its status."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"

Values = dict[str, Any]


@dataclass(eq=False)  # not frozen: contextlib sets the traceback of what passes through it
class Refused(Exception):
    status: int
    message: str

    def __str__(self) -> str:
        return f"{self.message} (HTTP {self.status})"


@dataclass(frozen=True)
class Client:
    """`project` is the provider's; a resource may name another."""

    url: str
    project: str
    token: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)  # put on whatever can carry labels

    def impersonating(self, account: str) -> "Client":
        """The same calls as a service account makes them."""
        path = f"/v1/projects/-/serviceAccounts/{segment(account)}:generateAccessToken"
        answer = self.call("POST", path, {"scope": [_SCOPE]})
        return replace(self, token=answer["accessToken"])

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Values:
        where = f"{path}?{urlencode({'alt': 'json', **(query or {})})}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = b"" if method in ("POST", "PUT") else None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        # Never through a proxy, so not through anything that looks one up.
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, where, data, headers)
            response = connection.getresponse()
            return _read(method, path, response.status, response.read())
        finally:
            connection.close()

    def find(self, path: str, query: Mapping[str, str] | None = None) -> Values | None:
        """What is at `path`, or None if nothing is."""
        try:
            return self.call("GET", path, query=query)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def remove(self, path: str, query: Mapping[str, str] | None = None) -> None:
        """Delete what is at `path`, content if it is gone already."""
        try:
            self.call("DELETE", path, query=query)
        except Refused as refused:
            if refused.status != 404:
                raise


def is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="@:")


def _read(method: str, path: str, status: int, data: bytes) -> Values:
    body: Any = json.loads(data) if data.strip().startswith(b"{") else {}
    if status >= 400:
        message = body.get("error", {}).get("message") or data.decode(errors="replace")[:500]
        raise Refused(status, f"{method} {path}: {message}")
    return dict(body)
