"""Resources: the parts that the JSON of buckets and objects share."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jobs.emulator.errors import invalid

# Links name the cloud's host: a client that remembers them sees no change when the port does.
API = "https://www.googleapis.com/storage/v1"


def timestamp(microsecond: int) -> str:
    """RFC 3339 with milliseconds, as the service writes times."""
    seconds, rest = divmod(microsecond, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:03d}Z"


def etag_of(*stamps: int) -> str:
    """Base64 of a message with one varint a stamp, the service's own form."""
    message = b"".join(bytes([index << 3]) + _varint(n) for index, n in enumerate(stamps, 1))
    return base64.b64encode(message).decode()


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396: null removes, objects merge, all else replaces."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = merge_patch(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return merge_patch({}, body)


def check_strings(field: str, value: object) -> None:
    """Labels and custom metadata map words to words."""
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise invalid(f"Invalid value for {field}: strings by name are expected.")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
