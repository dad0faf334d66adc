"""Storage: Cloud Storage on a state folder, put together from its parts, as a table of routes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from jobs.emulator.errors import invalid
from jobs.emulator.principals import Principals
from jobs.emulator.state import State
from jobs.emulator.storage import batch
from jobs.emulator.storage.blobs import Blobs
from jobs.emulator.storage.buckets import Buckets, KeyFault, no_fault
from jobs.emulator.storage.compose import Compose
from jobs.emulator.storage.creation import Creation
from jobs.emulator.storage.downloads import Downloads
from jobs.emulator.storage.fields import masked
from jobs.emulator.storage.generations import Store
from jobs.emulator.storage.listing import Listing
from jobs.emulator.storage.objects import Objects
from jobs.emulator.storage.parts import Parts
from jobs.emulator.storage.policy import Policies
from jobs.emulator.storage.resumable import Resumable
from jobs.emulator.storage.sessions import Sessions
from jobs.emulator.storage.transfers import Transfers
from jobs.emulator.storage.uploads import Uploads
from jobs.emulator.storage.xml import Xml
from jobs.emulator.wire import Answer, Request, Route

_UPLOAD = "/upload/storage/v1/b/{bucket}/o"
_OBJECT = "/storage/v1/b/{bucket}/o/{object}"


class Storage:
    def __init__(
        self,
        state: State,
        principals: Principals,
        numbers: Mapping[str, str],
        key_fault: KeyFault = no_fault,
    ) -> None:
        self._blobs = blobs = Blobs(state, state.folder / "blobs")
        self._store = store = Store(state, blobs)
        self._buckets = Buckets(state, store, principals, numbers, key_fault)
        self._policies = Policies(state, self._buckets, principals)
        self._objects = Objects(store, self._buckets)
        self._listing = Listing(store, self._buckets)
        creation = Creation(store, blobs, self._buckets)
        self._uploads = Uploads(blobs, creation)
        self._transfers = Transfers(store, self._buckets, creation)
        self._compose = Compose(store, blobs, self._buckets, creation)
        sessions = Sessions(state)
        self._resumable = Resumable(store, blobs, creation, sessions)
        self._downloads = Downloads(store, blobs, self._buckets)
        parts = Parts(state, blobs, creation, sessions)
        self._xml = Xml(blobs, self._buckets, creation, self._downloads, parts)
        store.purge()
        sessions.expire()
        blobs.sweep(store.blobs() | sessions.blobs() | parts.blobs())

    def open_object(self, bucket: str, name: str) -> BinaryIO | None:
        """A live object's body, for another service of the same emulator."""
        with self._store.edit() as objects:
            found = objects.live(bucket, name)
            # Opened before another request can delete it; an open file outlives its name.
            return self._blobs.open(found.blob) if found else None

    def policy_of(self, bucket: str) -> tuple[str, Sequence[Mapping[str, Any]]] | None:
        """A bucket's project and bindings, for who decides about calls; None if there is none."""
        if not self._buckets.exists(bucket):
            return None
        found = self._buckets.find(bucket)
        return found.project, self._policies.find(found)["bindings"]

    def routes(self) -> list[Route]:
        """To be joined last: the XML path takes any address of two segments."""
        routes = [
            *self._buckets.routes(),
            *self._policies.routes(),
            *self._listing.routes(),
            *self._objects.routes(),
            *self._transfers.routes(),
            *self._compose.routes(),
            *batch.routes(),
            Route("POST", _UPLOAD, self._upload),
            Route("PUT", _UPLOAD, self._resumable.resume),
            Route("DELETE", _UPLOAD, self._resumable.cancel),
            Route("GET", _OBJECT, self._read),
            Route("GET", "/download" + _OBJECT, self._read),
        ]
        return [
            *(replace(route, handler=masked(route.handler)) for route in routes),
            *self._xml.routes(),
        ]

    def _upload(self, request: Request) -> Answer:
        kind = request.first("uploadType")
        if request.first("upload_id"):
            return self._resumable.resume(request)
        if kind == "resumable":
            return self._resumable.start(request)
        if kind == "multipart":
            return self._uploads.multipart(request)
        if kind == "media":
            return self._uploads.media(request)
        raise invalid(f"Invalid upload type: '{kind}'")

    def _read(self, request: Request) -> Answer:
        if request.first("alt") == "media":
            return self._downloads.get(request)
        return self._objects.get(request)
