"""Compose: one object of up to 32 others, one after the other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, BinaryIO

from jobs.emulator.errors import invalid
from jobs.emulator.storage import conditions
from jobs.emulator.storage.blobs import PIECE, Blobs
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.creation import Creation, Draft
from jobs.emulator.storage.generations import Generations, Object, Store
from jobs.emulator.wire import Request, Route

_MOST = 32


class Compose:
    def __init__(self, store: Store, blobs: Blobs, buckets: Buckets, creation: Creation) -> None:
        self._store, self._blobs = store, blobs
        self._buckets, self._creation = buckets, creation

    def routes(self) -> list[Route]:
        return [Route("POST", "/storage/v1/b/{bucket}/o/{object}/compose", self._compose)]

    def _compose(self, request: Request) -> Mapping[str, Any]:
        body, bucket = request.json(), request.params["bucket"]
        metadata = body.get("destination") or {}
        if not isinstance(metadata, dict):
            raise invalid("Invalid value for destination.")
        query = conditions.from_query(request)
        draft = Draft(bucket, request.params["object"], metadata, query)
        with ExitStack() as files:
            with self._store.edit() as objects:
                self._buckets.find(bucket)
                query.check(objects.live(bucket, draft.name))
                sources = [_source(objects, bucket, each) for each in _listed(body)]
                # Open now: another request may delete a source while it is read.
                opened = [files.enter_context(self._blobs.open(each.blob)) for each in sources]
            blob = self._blobs.write(_joined(opened))
        extra = {"componentCount": sum(map(_components, sources))}
        composed = replace(blob, digest=replace(blob.digest, md5=None))
        return self._creation.create(draft, composed, extra).to_json(request.origin)


def _listed(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    sources = body.get("sourceObjects")
    if not isinstance(sources, list) or not all(isinstance(each, dict) for each in sources):
        raise invalid("You must provide at least one source component.")
    if not 0 < len(sources) <= _MOST:
        raise invalid(f"The number of source components must be between 1 and {_MOST}.")
    return sources


def _source(objects: Generations, bucket: str, wanted: Mapping[str, Any]) -> Object:
    generation = conditions.number("generation", wanted.get("generation"))
    found = objects.find(bucket, str(wanted.get("name") or ""), generation)
    limits = wanted.get("objectPreconditions") or {}
    conditions.from_json(limits if isinstance(limits, dict) else {}).check(found)
    return found


def _components(source: Object) -> int:
    return int(source.resource.get("componentCount", 1))


def _joined(files: Sequence[BinaryIO]) -> Iterator[bytes]:
    for file in files:
        while piece := file.read(PIECE):
            yield piece
