"""Lists: the standard filter over labels and fields, and pages that survive new arrivals."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, Protocol

from jobs.emulator.errors import invalid
from jobs.emulator.wire import Request

Resource = Mapping[str, Any]
Test = Callable[[Resource], bool]

_TERM = re.compile(
    r'\s*(?:labels\.(?P<label>[^\s:=!<>"]+)|(?P<field>[\w.]+))\s*'
    r'(?P<operator>!=|:|=)\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s()"]+))\s*'
)
_AND = re.compile(r"AND\b\s*", re.IGNORECASE)
_PAGE = 100
_LARGEST_PAGE = 1000


class Source(Protocol):
    """Resources in the order asked for, only those beyond the mark of a page before."""

    def __call__(self, mark: str, oldest_first: bool) -> Iterable[Resource]: ...


def page(
    request: Request, key: str, source: Source, fields: Mapping[str, str], time: str = "createTime"
) -> dict[str, Any]:
    """One page, newest first by default; `fields`: names a filter may use to wire names."""
    accepts = _filter(request.first("filter") or "", fields)
    size = _page_size(request)
    mark = _mark_of(request.first("pageToken") or request.first("page_token") or "")
    found = list(islice(filter(accepts, source(mark, _oldest_first(request))), size + 1))
    answer: dict[str, Any] = {key: found[:size]} if found else {}
    if len(found) > size:
        answer["nextPageToken"] = _token(mark_at(found[size - 1], time))
    return answer


def mark_at(resource: Resource, time: str = "createTime") -> str:
    """Where a page ended; marks sort as resources do, by time and then by name."""
    return f"{resource[time]} {resource['name']}"


def in_memory(resources: Iterable[Resource], time: str = "createTime") -> Source:
    def source(mark: str, oldest_first: bool) -> Iterable[Resource]:
        ordered = sorted(resources, key=lambda one: mark_at(one, time), reverse=not oldest_first)
        for one in ordered:
            here = mark_at(one, time)
            if not mark or (here > mark if oldest_first else here < mark):
                yield one

    return source


def _filter(text: str, fields: Mapping[str, str]) -> Test:
    tests: list[Test] = []
    position = 0
    while position < len(text.rstrip()):
        if tests and (joint := _AND.match(text, position)):
            position = joint.end()
        term = _TERM.match(text, position)
        if term is None or not (term["label"] or term["field"] in fields):
            raise invalid(f"Invalid filter {text!r}: cannot understand {text[position:]!r}.")
        tests.append(_test(term, fields))
        position = term.end()
    return lambda resource: all(test(resource) for test in tests)


def _test(term: re.Match[str], fields: Mapping[str, str]) -> Test:
    wanted = term["plain"] if term["quoted"] is None else re.sub(r"\\(.)", r"\1", term["quoted"])
    operator, label = term["operator"], term["label"]

    def value(resource: Resource) -> str | None:
        found = resource.get("labels", {}) if label else resource
        return found.get(label or fields[term["field"]])

    if operator == "!=":
        return lambda resource: value(resource) != wanted
    if operator == ":" and wanted == "*":
        return lambda resource: value(resource) is not None
    if operator == ":" and not label:
        return lambda resource: wanted in (value(resource) or "")
    return lambda resource: value(resource) == wanted


def _page_size(request: Request) -> int:
    text = request.first("pageSize") or request.first("page_size") or "0"
    if not text.isdecimal():
        raise invalid(f"Invalid page size {text!r}.")
    return min(int(text) or _PAGE, _LARGEST_PAGE)


def _oldest_first(request: Request) -> bool:
    order = (request.first("orderBy") or request.first("order_by") or "create_time desc").split()
    if order[0] not in ("create_time", "createTime") or order[1:] not in ([], ["asc"], ["desc"]):
        raise invalid(f"Invalid order {' '.join(order)!r}; the emulator orders by create_time.")
    return order[1:] != ["desc"]


def _token(mark: str) -> str:
    return base64.urlsafe_b64encode(mark.encode()).decode()


def _mark_of(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid("Invalid page token.") from None
