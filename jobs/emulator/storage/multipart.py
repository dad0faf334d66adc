"""Multipart: a multipart/related body taken apart as it arrives, metadata first, then media."""

import json
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.wire import Body

_PIECE = 1 << 20
_LONGEST_HEAD = 1 << 22  # boundaries, part headers and the metadata together


class Related:
    """`metadata` and `content_type` are there at once, `media` is read when it is asked for."""

    def __init__(self, content_type: str, body: Body) -> None:
        self._body, self._buffer = body, b""
        boundary = _parameter(content_type, "boundary").encode("latin-1", "replace")
        line = self._until(b"\n")
        if line.rstrip() != b"--" + boundary:
            raise invalid("The multipart body does not begin with its boundary.")
        # Some clients end lines bare; then a final CR belongs to the media.
        self._end = (b"\r\n" if line.endswith(b"\r") else b"\n") + b"--" + boundary
        self._headers()
        self.metadata = _metadata(self._until(self._end))
        self._until(b"\n")
        self.content_type = self._headers().get("Content-Type")

    def media(self) -> Iterator[bytes]:
        """Up to the closing boundary, of which a piece may hold the beginning."""
        end = self._end + b"--"
        while (at := self._buffer.find(end)) < 0:
            ready = len(self._buffer) - len(end) + 1
            if ready > 0:
                yield self._buffer[:ready]
                self._buffer = self._buffer[ready:]
            self._more()
        if at:
            yield self._buffer[:at]

    def _headers(self) -> Message:
        lines = []
        while (line := self._until(b"\n")).strip():
            lines.append(line.rstrip() + b"\n")
        return BytesHeaderParser().parsebytes(b"".join(lines) + b"\n")

    def _until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise invalid("The multipart body's metadata is too long.")
            self._more()
        found, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return found

    def _more(self) -> None:
        piece = self._body.read(_PIECE)
        if not piece:
            raise invalid("The multipart body has no closing boundary.")
        self._buffer += piece


def _parameter(content_type: str, name: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    value = message.get_param(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"The content type of a multipart body needs a {name}.")
    return value


def _metadata(part: bytes) -> dict[str, Any]:
    try:
        metadata = json.loads(part or b"{}")
    except (ValueError, RecursionError):
        raise invalid("Metadata part is not valid JSON.") from None
    if not isinstance(metadata, dict):
        raise invalid("Metadata part must be a JSON object.")
    return metadata
