"""Request, Response and Route: what a handler is given, what it returns, and when it is called."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any, Protocol
from urllib.parse import unquote

from jobs.emulator.errors import invalid


class Body(Protocol):
    """What follows a request's headers; read once, whole or in pieces."""

    def read(self, size: int = -1) -> bytes: ...


def _stays() -> bool:
    return False


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # as sent: a name may hold an escaped slash
    query: Mapping[str, list[str]]
    headers: Message
    body: Body
    origin: str  # http://127.0.0.1:PORT, as the client addressed it
    params: Mapping[str, str] = field(default_factory=dict)
    answer: "Callable[[Request], Response] | None" = None  # the server's, for requests in requests
    gone: Callable[[], bool] = _stays  # whether the client closed its side

    def first(self, name: str, default: str | None = None) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def flag(self, name: str) -> bool:
        """A boolean query parameter; Python's client sends `True`, others `true`."""
        return (self.first(name) or "").lower() == "true"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object, an empty body as an empty one; 400 for anything else."""
        data = self.body.read()
        if not data.strip():
            return {}
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise invalid("Invalid JSON payload received.") from None
        if not isinstance(value, dict):
            raise invalid("Invalid JSON payload received: an object is expected.")
        return value


@dataclass(frozen=True)
class Response:
    """`body` is JSON, bytes, or pieces of bytes with their Content-Length among the headers."""

    status: int = 200
    body: Mapping[str, Any] | bytes | Iterator[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """Let go of a body in pieces, sent or not."""
        if close := getattr(self.body, "close", None):  # of an open file
            close()


class Cut(Exception):
    """Ends the connection without an answer, or in the middle of `answer`."""

    def __init__(self, answer: Response | None = None, *, reset: bool = False) -> None:
        super().__init__("the connection is cut")
        self.answer, self.reset = answer, reset


Answer = Response | Mapping[str, Any] | None  # a mapping is 200 and JSON, None is 204
Handler = Callable[[Request], Answer]

_HOLE = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True)
class Route:
    """`{name}` stands for one path segment, `{name*}` for the rest; both arrive unescaped."""

    method: str
    pattern: str
    handler: Handler

    def compile(self) -> re.Pattern[str]:
        parts, end = [], 0
        for hole in _HOLE.finditer(self.pattern):
            parts.append(re.escape(self.pattern[end : hole.start()]))
            parts.append(f"(?P<{hole[1]}>{'.+' if hole[2] else '[^/]+?'})")
            end = hole.end()
        return re.compile("".join(parts) + re.escape(self.pattern[end:]))


class Router:
    """The first route that fits, in the order given; specific patterns come before general ones."""

    def __init__(self, routes: list[Route]) -> None:
        self._table = [(route.method, route.compile(), route.handler) for route in routes]

    def find(self, request: Request) -> tuple[Handler, Request] | None:
        for method, pattern, handler in self._table:
            if method == request.method and (found := pattern.fullmatch(request.path)):
                params = {name: unquote(value) for name, value in found.groupdict().items()}
                return handler, replace(request, params=params)
        return None
