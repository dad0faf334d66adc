"""Parts: a multipart upload of the XML API, begun, sent in any order, joined by number."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from jobs.emulator.errors import ApiError, invalid
from jobs.emulator.state import State
from jobs.emulator.storage.blobs import Blobs
from jobs.emulator.storage.checksums import declared_in
from jobs.emulator.storage.creation import Creation, Draft
from jobs.emulator.storage.sessions import Session, Sessions
from jobs.emulator.storage.uploads import pieces_of
from jobs.emulator.wire import Answer, Request, Response

_SCHEMA = """
CREATE TABLE IF NOT EXISTS storage_parts (
    session TEXT NOT NULL, number INTEGER NOT NULL, blob TEXT NOT NULL, etag TEXT NOT NULL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
"""
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST = 10_000


@dataclass(frozen=True)
class Part:
    number: int
    blob: str
    etag: str


class Parts:
    def __init__(self, state: State, blobs: Blobs, creation: Creation, sessions: Sessions) -> None:
        self._state, self._blobs = state, blobs
        self._creation, self._sessions = creation, sessions
        state.define(_SCHEMA)

    def start(self, request: Request, draft: Draft) -> Answer:
        self._creation.check(draft)
        session = Session(uuid.uuid4().hex, self._blobs.create(), draft)
        self._sessions.start(session)
        fields = {"Bucket": draft.bucket, "Key": draft.name, "UploadId": session.id}
        return _xml("InitiateMultipartUploadResult", fields)

    def put(self, request: Request) -> Answer:
        session, number = self._session(request), _number(request.first("partNumber"))
        blob = self._blobs.write(pieces_of(request.body))
        try:
            blob.digest.verify(declared_in(request.headers))
        except ApiError as error:
            self._blobs.remove(blob.name)
            raise replace(error, reason="BadDigest") from None
        etag = f'"{blob.digest.md5}"'
        with self._state.transaction():
            self._blobs.keep(blob)
            before = self._record(session, Part(number, blob.name, etag))
        self._blobs.remove(*before)
        return Response(200, None, {"ETag": etag, "x-goog-hash": blob.digest.header()})

    def complete(self, request: Request) -> Answer:
        session = self._session(request)
        parts = self._chosen(session, _listed(request.body.read()))
        blob = self._blobs.write(self._joined(parts))
        joined = replace(blob, digest=replace(blob.digest, md5=None))
        new = self._creation.create(session.draft, joined)
        self._end(session)
        fields = {"Bucket": new.bucket, "Key": new.name, "ETag": f'"{new.etag}"'}
        return _xml("CompleteMultipartUploadResult", fields)

    def abort(self, request: Request) -> Answer:
        self._end(self._session(request))
        return None

    def blobs(self) -> set[str]:
        """Those of uploads under way."""
        with self._state.transaction() as database:
            database.execute(
                "DELETE FROM storage_parts WHERE session NOT IN (SELECT id FROM storage_sessions)"
            )
            return {blob for (blob,) in database.execute("SELECT blob FROM storage_parts")}

    def _session(self, request: Request) -> Session:
        session = self._sessions.find(request.first("uploadId") or "")
        if (session.draft.bucket, session.draft.name) != (
            request.params["bucket"],
            request.params["object"],
        ):
            raise ApiError(404, "The upload is for another object.", "NoSuchUpload")
        return session

    def _record(self, session: Session, part: Part) -> list[str]:
        """A part sent again replaces the one before, whose blob is returned."""
        with self._state.transaction() as database:
            before = database.execute(
                "DELETE FROM storage_parts WHERE session = ? AND number = ? RETURNING blob",
                (session.id, part.number),
            ).fetchall()
            database.execute(
                "INSERT INTO storage_parts VALUES (?, ?, ?, ?)",
                (session.id, part.number, part.blob, part.etag),
            )
        return [blob for (blob,) in before]

    def _parts(self, session: Session) -> dict[int, Part]:
        with self._state.transaction() as database:
            rows = database.execute(
                "SELECT number, blob, etag FROM storage_parts WHERE session = ?", (session.id,)
            ).fetchall()
        return {row[0]: Part(*row) for row in rows}

    def _chosen(self, session: Session, listed: Sequence[tuple[int, str]]) -> list[Part]:
        """The parts that the client names, in the order of their numbers."""
        found = self._parts(session)
        for number, etag in listed:
            if number not in found or found[number].etag.strip('"') != etag.strip('"'):
                raise ApiError(400, f"Part {number} was not uploaded as named.", "InvalidPart")
        return [found[number] for number in sorted({number for number, _ in listed})]

    def _joined(self, parts: Sequence[Part]) -> Iterator[bytes]:
        for part in parts:
            yield from self._blobs.pieces(part.blob)

    def _end(self, session: Session) -> None:
        blobs = [part.blob for part in self._parts(session).values()]
        self._sessions.delete(session)
        self._blobs.remove(session.blob, *blobs)


def _number(text: str | None) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text or "") or not 1 <= int(text or "") <= _MOST:
        raise invalid(f"Part number must be between 1 and {_MOST}.")
    return int(text or "")


def _listed(body: bytes) -> list[tuple[int, str]]:
    """The numbers and ETags of a `CompleteMultipartUpload`, whatever its namespace."""
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError):
        raise ApiError(400, "The XML is not well-formed.", "MalformedXML") from None
    parts = [each for each in root.iter() if each.tag.endswith("Part")]
    if not parts:
        raise ApiError(400, "At least one part is needed.", "MalformedXML")
    return [(_number(part.findtext("{*}PartNumber")), _etag(part)) for part in parts]


def _etag(part: ElementTree.Element) -> str:
    return part.findtext("{*}ETag") or ""


def _xml(name: str, fields: Mapping[str, str]) -> Response:
    root = ElementTree.Element(name, xmlns=_NAMESPACE)
    for field, text in fields.items():
        ElementTree.SubElement(root, field).text = text
    return xml_response(root)


def xml_response(root: ElementTree.Element, status: int = 200) -> Response:
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(status, body, {"Content-Type": "application/xml; charset=UTF-8"})
