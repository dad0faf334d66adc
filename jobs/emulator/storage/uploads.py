"""Uploads in one request: the body alone, or multipart with the metadata before it."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.storage import conditions
from jobs.emulator.storage.blobs import PIECE, Blobs
from jobs.emulator.storage.checksums import declared_in
from jobs.emulator.storage.creation import Creation, Draft
from jobs.emulator.storage.multipart import Related
from jobs.emulator.wire import Answer, Body, Request


class Uploads:
    def __init__(self, blobs: Blobs, creation: Creation) -> None:
        self._blobs, self._creation = blobs, creation

    def media(self, request: Request) -> Answer:
        """uploadType=media: the body is the object."""
        metadata = {"contentType": request.headers.get("Content-Type")}
        metadata["contentEncoding"] = request.first("contentEncoding")
        return self._create(request, draft_of(request, metadata), pieces_of(request.body))

    def multipart(self, request: Request) -> Answer:
        """uploadType=multipart: metadata and body in one."""
        related = Related(request.headers.get("Content-Type") or "", request.body)
        metadata = {"contentType": related.content_type, **related.metadata}
        return self._create(request, draft_of(request, metadata), related.media())

    def _create(self, request: Request, draft: Draft, pieces: Iterator[bytes]) -> Answer:
        self._creation.check(draft)
        return self._creation.create(draft, self._blobs.write(pieces)).to_json(request.origin)


def draft_of(request: Request, metadata: Mapping[str, Any]) -> Draft:
    """What the query, the headers and the metadata say together."""
    name = request.first("name") or metadata.get("name")
    hashes = declared_in(request.headers)
    for kind, key in (("crc32c", "crc32c"), ("md5", "md5Hash")):
        if metadata.get(key):
            hashes[kind] = str(metadata[key])
    if not isinstance(name, str):
        raise invalid("Required parameter: name")
    return Draft(request.params["bucket"], name, metadata, conditions.from_query(request), hashes)


def pieces_of(body: Body) -> Iterator[bytes]:
    while piece := body.read(PIECE):
        yield piece
