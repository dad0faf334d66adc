"""Creation: the one way a finished body becomes an object, whoever brought it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.emulator.access import current
from jobs.emulator.access.resources import an_object
from jobs.emulator.errors import invalid
from jobs.emulator.storage.blobs import Blob, Blobs
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.checksums import Digest
from jobs.emulator.storage.conditions import Conditions
from jobs.emulator.storage.generations import LIVE, Generations, Object, Store
from jobs.emulator.storage.names import check_object_name
from jobs.emulator.storage.resources import check_strings, timestamp, without_nulls
from jobs.emulator.storage.settings import check_storage_class

SETTABLE = (
    *("contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl"),
    *("metadata", "storageClass", "customTime", "eventBasedHold", "temporaryHold"),
    *("retention", "contexts"),
)
_TEXT, _HOLDS = SETTABLE[:5], ("eventBasedHold", "temporaryHold")
_TIMES = ("timeCreated", "updated", "timeStorageClassUpdated", "timeFinalized")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Draft:
    """What an upload announces: where it goes, what it says of itself, what must hold."""

    bucket: str
    name: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)
    hashes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_object_name(self.name)
        check_metadata(self.metadata)


class Creation:
    def __init__(self, store: Store, blobs: Blobs, buckets: Buckets) -> None:
        self._store, self._blobs, self._buckets = store, blobs, buckets

    def check(self, draft: Draft) -> None:
        """Refuse early what `create` would refuse after the body."""
        with self._store.edit() as objects:
            self._buckets.find(draft.bucket)
            live = objects.live(draft.bucket, draft.name)
            _ask(draft, live)
            draft.conditions.check(live)

    def create(self, draft: Draft, blob: Blob, extra: Mapping[str, Any] = _NOTHING) -> Object:
        """The new live object; refused, its blob goes."""
        try:
            blob.digest.verify(draft.hashes)
            with self._store.edit() as objects:
                return self.insert(objects, draft, blob, extra)
        except BaseException:
            self._blobs.remove(blob.name)
            raise

    def insert(
        self,
        objects: Generations,
        draft: Draft,
        blob: Blob,
        extra: Mapping[str, Any] = _NOTHING,
    ) -> Object:
        """As `create`, inside a transaction that is already open; `extra` stands in the answer."""
        rules = self._buckets.find(draft.bucket).rules
        live = objects.live(draft.bucket, draft.name)
        _ask(draft, live)
        draft.conditions.check(live)
        generation = objects.now()
        resource = {
            "contentType": "application/octet-stream",
            "storageClass": rules.storage_class,
            **settable(draft.metadata),
            **_described(blob.digest),
            **dict.fromkeys(_TIMES, timestamp(generation)),
            **extra,
        }
        self._blobs.keep(blob)
        new = Object(draft.bucket, draft.name, generation, 1, LIVE, blob.name, resource)
        return objects.insert(new, rules)


def _ask(draft: Draft, live: Object | None) -> None:
    """To overwrite is to delete; who asks that nothing be there overwrites nothing."""
    target = an_object(draft.bucket, draft.name)
    current.require("storage.objects.create", target)
    if live and draft.conditions.generation != 0:
        current.require("storage.objects.delete", target)


def settable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    given = without_nulls(metadata)
    return {key: given[key] for key in SETTABLE if given.get(key) not in (None, "", {})}


def check_metadata(metadata: Mapping[str, Any]) -> None:
    given = without_nulls(metadata)
    check_strings("metadata", given.get("metadata", {}))
    for key in _TEXT:
        if not isinstance(given.get(key, ""), str):
            raise invalid(f"Invalid value for {key}: a string is expected.")
    for key in _HOLDS:
        if not isinstance(given.get(key, False), bool):
            raise invalid(f"Invalid value for {key}: true or false is expected.")
    check_storage_class(given.get("storageClass", "STANDARD"))


def _described(digest: Digest) -> dict[str, Any]:
    sums = {"size": str(digest.size), "crc32c": digest.crc32c}
    return {**sums, "md5Hash": digest.md5} if digest.md5 else sums
