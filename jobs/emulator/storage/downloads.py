"""Downloads: an object's body or a range of it, streamed from its blob."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.message import Message
from email.utils import format_datetime
from typing import BinaryIO

from jobs.emulator.errors import ApiError
from jobs.emulator.storage.blobs import PIECE, Blobs
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.conditions import (
    Conditions,
    from_headers,
    from_query,
    generation_of,
)
from jobs.emulator.storage.generations import Object, Store
from jobs.emulator.wire import Request, Response

_HEADERS = {
    "contentType": "Content-Type",
    "contentEncoding": "Content-Encoding",
    "contentDisposition": "Content-Disposition",
    "contentLanguage": "Content-Language",
    "cacheControl": "Cache-Control",
}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Downloads:
    def __init__(self, store: Store, blobs: Blobs, buckets: Buckets) -> None:
        self._store, self._blobs, self._buckets = store, blobs, buckets

    def get(self, request: Request) -> Response:
        return self._answer(request, from_query(request), _described)

    def get_xml(self, request: Request) -> Response:
        """Conditions come in headers, custom metadata goes in them."""
        conditions = from_headers(request.headers)
        return self._answer(request, conditions, lambda found: _described(found) | _custom(found))

    def _answer(
        self,
        request: Request,
        conditions: Conditions,
        headers: Callable[[Object], Mapping[str, str]],
    ) -> Response:
        bucket, name = request.params["bucket"], request.params["object"]
        with self._store.edit() as objects:
            self._buckets.find(bucket)
            found = objects.find(bucket, name, generation_of(request))
            conditions.check_read(found)
            # Opened before another request can delete it; an open file outlives its name.
            file = self._blobs.open(found.blob)
        span = _span(request.headers, found.size)
        if span is None:
            file.close()
            return _beyond(found)
        return _response(Slice(file, *span), span, found.size, headers(found))


def _response(
    body: "Slice", span: tuple[int, int], size: int, headers: Mapping[str, str]
) -> Response:
    start, end = span
    headers = {**headers, "Content-Length": str(end - start)}
    if span == (0, size):
        return Response(200, body, headers)
    return Response(206, body, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})


def _beyond(found: Object) -> Response:
    error = ApiError(416, "Requested range not satisfiable", "requestedRangeNotSatisfiable")
    return Response(416, error.body(), {"Content-Range": f"bytes */{found.size}"})


def _described(found: Object) -> dict[str, str]:
    resource = found.resource
    updated = datetime.fromisoformat(resource["updated"])
    return {
        **{header: resource[key] for key, header in _HEADERS.items() if resource.get(key)},
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(updated, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-goog-hash": found.hashes,
        "x-goog-generation": str(found.generation),
        "x-goog-metageneration": str(found.metageneration),
        "x-goog-storage-class": found.storage_class,
        "x-goog-stored-content-length": str(found.size),
        "x-goog-stored-content-encoding": resource.get("contentEncoding", "identity"),
    }


def _custom(found: Object) -> dict[str, str]:
    """The keys that can be a header's name."""
    metadata = found.resource.get("metadata", {}).items()
    return {f"x-goog-meta-{key}": value for key, value in metadata if _TOKEN.fullmatch(key)}


def _span(headers: Message, size: int) -> tuple[int, int] | None:
    """Start and end of what is asked for; all of it where the range makes no sense."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", headers.get("Range") or "")
    if not match or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return 0, size
    return (start, end) if start < size else None


class Slice:
    """The bytes of a file from `start` to `end`; closes it, read or not."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._left = file, end - start
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(min(PIECE, self._left))
        if not piece:
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
