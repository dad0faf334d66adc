"""Batch: many requests in the body of one, each answered as if it had come alone."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from http import HTTPStatus
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from jobs.emulator.errors import invalid
from jobs.emulator.wire import Request, Response, Route

_MOST = 100
_ALONE = ("/batch/", "/upload/", "/download/")


@dataclass(frozen=True)
class Call:
    """`id` is the part's Content-ID, where it has one."""

    request: Request
    id: str | None


def routes() -> list[Route]:
    return [Route("POST", "/batch/storage/v1", _batch)]


def _batch(request: Request) -> Response:
    calls = [_call(request, part) for part in _parts(request)]
    boundary = f"batch_{uuid.uuid4().hex}"
    answers = [f"--{boundary}\r\n".encode() + _answered(call) for call in calls]
    body = b"".join([*answers, f"--{boundary}--\r\n".encode()])
    return Response(200, body, {"Content-Type": f"multipart/mixed; boundary={boundary}"})


def _parts(request: Request) -> list[Message]:
    content_type = request.headers.get("Content-Type") or ""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    parts = message_from_bytes(head + request.body.read()).get_payload()
    if not isinstance(parts, list):
        raise invalid("The batch is not a multipart/mixed body.")
    if len(parts) > _MOST:
        raise invalid(f"The batch has {len(parts)} calls; the most is {_MOST}.")
    return [part for part in parts if isinstance(part, Message)]


def _call(outer: Request, part: Message) -> Call:
    payload = part.get_payload(decode=True)
    head, _, body = _bytes(payload).replace(b"\r\n", b"\n").lstrip().partition(b"\n\n")
    line, _, fields = head.partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) < 2:
        raise invalid("A part of the batch is not a request.")
    address = urlsplit(words[1])
    inner = replace(
        outer,
        method=words[0].upper(),
        path=address.path,
        query=parse_qs(address.query, keep_blank_values=True),
        headers=_headers(outer.headers, fields),
        body=BytesIO(body.rstrip()),
    )
    if (
        inner.path.startswith(("/batch/", "/upload/", "/download/"))
        or inner.first("alt") == "media"
    ):
        raise invalid("A batch cannot hold uploads, downloads and batches.")
    return Call(inner, part.get("Content-ID"))


def _headers(outer: Message, fields: bytes) -> Message:
    """The part's own; it acts for the same caller as the batch."""
    headers = message_from_bytes(fields + b"\n\n")
    if "Authorization" in outer and "Authorization" not in headers:
        headers["Authorization"] = outer["Authorization"]
    return headers


def _answered(call: Call) -> bytes:
    assert call.request.answer is not None
    response = call.request.answer(call.request)
    body = response.body
    content = json.dumps(body).encode() if isinstance(body, Mapping) else _bytes(body)
    phrase = HTTPStatus(response.status).phrase  # clients expect three words in the line
    lines = ["Content-Type: application/http"]
    if call.id:
        lines.append(f"Content-ID: <response-{call.id.strip('<>')}>")
    lines += ["", f"HTTP/1.1 {response.status} {phrase}", f"Content-Length: {len(content)}"]
    if content:
        lines.append("Content-Type: application/json; charset=UTF-8")
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
