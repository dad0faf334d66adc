"""Resumable uploads: begun with one request, sent in pieces, taken up again after any failure."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import FileIO
from urllib.parse import quote

from jobs.emulator.errors import ApiError, invalid
from jobs.emulator.storage.blobs import PIECE, Blob, Blobs, write_all
from jobs.emulator.storage.checksums import Running, declared_in, digest_of
from jobs.emulator.storage.creation import Creation
from jobs.emulator.storage.generations import Store
from jobs.emulator.storage.sessions import Session, Sessions
from jobs.emulator.storage.uploads import draft_of, pieces_of
from jobs.emulator.wire import Answer, Body, Request, Response

_GRAIN = 256 << 10  # the service keeps whole multiples of it until the last piece
_RANGE = re.compile(r"bytes (?:(?P<start>\d{1,18})-(?P<last>\d{1,18})|\*)/(?P<total>\d{1,18}|\*)")


@dataclass(frozen=True)
class Span:
    """What a `Content-Range` says: from `start` to `end`, or to the body's end, of `total`."""

    start: int
    end: int | None
    total: int | None

    @property
    def is_empty(self) -> bool:
        return self.start == self.end

    def is_all(self, received: int) -> bool:
        return self.end is None or received == self.total


class Resumable:
    def __init__(self, store: Store, blobs: Blobs, creation: Creation, sessions: Sessions) -> None:
        self._store, self._blobs = store, blobs
        self._creation, self._sessions = creation, sessions

    def start(self, request: Request) -> Answer:
        metadata = request.json()
        content_type = request.headers.get("X-Upload-Content-Type")
        draft = draft_of(request, {"contentType": content_type, **metadata})
        self._creation.check(draft)
        session = Session(uuid.uuid4().hex, self._blobs.create(), draft)
        self._sessions.start(session)
        bucket = quote(draft.bucket, safe="")
        address = f"{request.origin}/upload/storage/v1/b/{bucket}/o?uploadType=resumable"
        headers = {"Location": f"{address}&upload_id={session.id}"}
        return Response(200, None, {**headers, "X-GUploader-UploadID": session.id})

    def resume(self, request: Request) -> Answer:
        """A piece, the question how much has arrived, or the word that this was all."""
        session = self._session(request)
        if session.result is not None:
            return session.result
        with self._blobs.locked(session.blob) as file:
            session = self._session(request)  # another request may have moved it on
            if session.result is not None:
                return session.result
            span, running = _span(request, session), Running()
            if not span.is_empty:
                session = self._append(session, span, file, request.body, running)
            if not span.is_all(session.received):
                return _incomplete(request, session)
            return self._finish(request, session, running)

    def cancel(self, request: Request) -> Answer:
        session = self._session(request)
        if session.result is None:
            with self._blobs.locked(session.blob):  # else a piece under way could end it
                session = self._session(request)
                self._drop(session)
        return Response(499)  # the service's own word for a cancelled upload

    def _drop(self, session: Session) -> None:
        if session.result is None:
            self._sessions.delete(session)
            self._blobs.remove(session.blob)

    def _session(self, request: Request) -> Session:
        return self._sessions.find(request.first("upload_id") or "")

    def _append(
        self, session: Session, span: Span, file: FileIO, body: Body, running: Running
    ) -> Session:
        """Write the piece behind what counts already; what breaks off counts as far as it came."""
        if span.start > session.received:
            return session  # a gap: the answer says where to go on
        file.truncate(session.received)
        file.seek(session.received)
        try:
            for piece in _beyond(body, session.received - span.start):
                running.update(piece)
                write_all(file, piece)
        except ApiError:
            self._sessions.advance(session, file.tell() // _GRAIN * _GRAIN)
            raise
        received = file.tell()
        if span.end is not None and received != max(span.end, session.received):
            raise invalid("The body's length differs from what Content-Range says.")
        if not span.is_all(received):
            received = max(received // _GRAIN * _GRAIN, session.received)
        return self._sessions.advance(session, received)

    def _finish(self, request: Request, session: Session, running: Running) -> Answer:
        """All has arrived; what passed in this one request need not be read again to be summed."""
        sums = running.digest()
        if sums.size != session.received:
            sums = digest_of(self._blobs.pieces(session.blob))
        late = declared_in(request.headers)
        draft = replace(session.draft, hashes={**session.draft.hashes, **late})
        try:
            sums.verify(draft.hashes)
            with self._store.edit() as objects:
                new = self._creation.insert(objects, draft, Blob(session.blob, sums))
                self._sessions.finish(session, result := new.to_json(request.origin))
        except ApiError:
            self._drop(session)
            raise
        return result


def _span(request: Request, session: Session) -> Span:
    header = request.headers.get("Content-Range")
    if header is None:
        return Span(0, None, None)
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        raise invalid(f"Failed to parse Content-Range header: '{header}'")
    total = None if found["total"] == "*" else int(found["total"])
    if found["start"] is None:
        return Span(session.received, session.received, total)
    start, end = int(found["start"]), int(found["last"]) + 1
    if start >= end or (total is not None and end > total):
        raise invalid(f"Invalid Content-Range header: '{header}'")
    return Span(start, end, total)


def _beyond(body: Body, skip: int) -> Iterator[bytes]:
    """The body but for its first bytes, which an earlier request brought."""
    while skip and (piece := body.read(min(PIECE, skip))):
        skip -= len(piece)
    yield from pieces_of(body)


def _incomplete(request: Request, session: Session) -> Response:
    headers = {"X-GUploader-UploadID": session.id}
    if session.received:
        headers["Range"] = f"bytes=0-{session.received - 1}"
    if request.headers.get("X-GUploader-No-308") == "yes":  # Go takes 308 for a redirect
        return Response(200, None, {**headers, "X-Http-Status-Code-Override": "308"})
    return Response(308, None, headers)
