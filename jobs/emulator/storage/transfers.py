"""Transfers: copy, rewrite and compose, which make objects of objects."""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.storage import conditions
from jobs.emulator.storage.blobs import Blob
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.creation import SETTABLE, Creation, Draft, settable
from jobs.emulator.storage.generations import Object, Store
from jobs.emulator.wire import Request, Route

_SOURCE = "/storage/v1/b/{bucket}/o/{object}"
_TARGET = "/b/{to_bucket}/o/{to_object}"


class Transfers:
    """A copy shares its source's blob, for blobs never change."""

    def __init__(self, store: Store, buckets: Buckets, creation: Creation) -> None:
        self._store, self._buckets, self._creation = store, buckets, creation

    def routes(self) -> list[Route]:
        return [
            Route("POST", f"{_SOURCE}/copyTo{_TARGET}", self._copy_to),
            Route("POST", f"{_SOURCE}/rewriteTo{_TARGET}", self._rewrite),
        ]

    def _copy_to(self, request: Request) -> Mapping[str, Any]:
        return self._copy(request).to_json(request.origin)

    def _rewrite(self, request: Request) -> Mapping[str, Any]:
        """All at once, so that no client ever needs a second call."""
        copy = self._copy(request)
        return {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": str(copy.size),
            "objectSize": str(copy.size),
            "done": True,
            "resource": copy.to_json(request.origin),
        }

    def _copy(self, request: Request) -> Object:
        body, params = request.json(), request.params
        generation = conditions.number_in(request, "sourceGeneration")
        with self._store.edit() as objects:
            self._buckets.find(params["bucket"])
            source = objects.find(params["bucket"], params["object"], generation)
            conditions.from_query(request, source=True).check(source)
            draft = Draft(
                params["to_bucket"],
                params["to_object"],
                _inherited(source, body),
                conditions.from_query(request),
            )
            extra = {k: v for k, v in source.resource.items() if k == "componentCount"}
            return self._creation.insert(objects, draft, Blob(source.blob, source.digest), extra)


def _inherited(source: Object, body: Mapping[str, Any]) -> dict[str, Any]:
    """The source's metadata, unless the body has its own; the storage class stands apart."""
    given = settable(body)
    if set(given) - {"storageClass"}:
        return given
    kept = {key: source.resource[key] for key in SETTABLE if key in source.resource}
    kept.pop("storageClass")  # a copy is of its own bucket's class
    return {**kept, **given}
