"""Fields: the partial answers that `fields=` asks for."""

import re
from collections.abc import Mapping
from functools import wraps
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.wire import Answer, Handler, Request

Mask = dict[str, "Mask"]  # an empty mask is everything below

_TOKEN = re.compile(r"[^,/()]+|[,/()]")


def masked(handler: Handler) -> Handler:
    """The handler, whose JSON answers hold only what the request's `fields` names."""

    @wraps(handler)
    def answer(request: Request) -> Answer:
        mask = parse_fields(request.first("fields") or "*")
        found = handler(request)
        return _pick(found, mask) if isinstance(found, Mapping) else found

    return answer


def parse_fields(text: str) -> Mask:
    """`items(name,size),nextPageToken` and `items/name` as nested names."""
    tokens = _TOKEN.findall(text)
    mask = _list(tokens, text)
    if tokens:
        raise _bad(text)
    return mask


def _list(tokens: list[str], text: str) -> Mask:
    mask: Mask = {}
    while True:
        _path(tokens, mask, text)
        if not tokens or tokens[0] != ",":
            return mask
        tokens.pop(0)


def _path(tokens: list[str], mask: Mask, text: str) -> None:
    if not tokens or tokens[0] in ",/()":
        raise _bad(text)
    below = mask.setdefault(tokens.pop(0).strip(), {})
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        _path(tokens, below, text)
    elif tokens and tokens[0] == "(":
        tokens.pop(0)
        below.update(_list(tokens, text))
        if not tokens or tokens.pop(0) != ")":
            raise _bad(text)


def _pick(value: Any, mask: Mask) -> Any:
    if not mask or ("*" in mask and not mask["*"]):
        return value
    if isinstance(value, list):
        return [_pick(item, mask) for item in value]
    if not isinstance(value, Mapping):
        return value
    wanted = {key: mask.get(key, mask.get("*")) for key in value}
    return {key: _pick(value[key], below) for key, below in wanted.items() if below is not None}


def _bad(text: str) -> Exception:
    return invalid(f"Invalid field selection {text}")
