"""Rule: which requests a fault is for, and what becomes of them."""

from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from jobs.emulator.wire import Request

OUTCOMES = ("status", "cut", "truncate", "malformed", "hold")


@dataclass(frozen=True)
class Rule:
    """`path` and `query` are globs over unescaped text, where `*` also stands for slashes.

    Of a method, path and query it hits every request, or those from the `nth` on: `times` of
    them, by default one. Before the handler acted, or after. It waits for `delay` seconds, then
    does one of the outcomes; with none of them the request just goes on.
    """

    name: str = ""
    method: str | None = None
    path: str = "*"
    query: str = "*"
    nth: int | None = None
    times: int | None = None
    when: str = "before"  # or "after" the handler acted
    delay: float = 0.0
    status: int | None = None  # this error instead of the answer
    cut: str | None = None  # "fin" or "rst": the connection ends without an answer
    truncate: bool = False  # all headers and half of the body, then the connection ends
    malformed: bool = False  # 200 and a body that is no JSON
    hold: bool = False  # until the client is gone, or the rule

    def matches(self, request: Request) -> bool:
        return (
            self.method in (None, request.method)
            and fnmatchcase(unquote(request.path), self.path)
            and (self.query == "*" or fnmatchcase(_query(request), self.query))
        )

    def due(self, seen: int) -> bool:
        """Whether it hits the request that is the `seen`th of those it matches."""
        first = self.nth or 1
        times = self.times or (1 if self.nth else None)
        return seen >= first and (times is None or seen < first + times)

    def given(self) -> dict[str, Any]:
        """The fields that were not left out, as a rules file has them."""
        values, defaults = asdict(self), {one.name: one.default for one in fields(self)}
        return {name: value for name, value in values.items() if value != defaults[name]}


def _query(request: Request) -> str:
    return "&".join(f"{name}={value}" for name in request.query for value in request.query[name])
