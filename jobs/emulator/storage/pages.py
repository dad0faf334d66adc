"""Pages: how many entries a listing may hold, and the token that says where the next begins."""

import base64
import json
import re

from jobs.emulator.errors import invalid
from jobs.emulator.wire import Request

_MOST = 1000


def limit_of(request: Request) -> int:
    value = request.first("maxResults") or str(_MOST)
    if not re.fullmatch(r"[0-9]{1,10}", value):
        raise invalid(f"Invalid value for maxResults: '{value}'")
    return min(int(value) or _MOST, _MOST)


def encode_token(*position: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode_token(token: str | None, *first: str | int) -> list[str | int]:
    """The position in `token`, of the same types as `first`, which stands where there is none."""
    if not token:
        return list(first)
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        position = None
    if not isinstance(position, list) or [*map(type, position)] != [*map(type, first)]:
        raise invalid(f"Invalid page token: '{token}'")
    return position
