"""Objects: get, patch, update, delete and restore."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.emulator.errors import ApiError
from jobs.emulator.storage import conditions
from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.creation import SETTABLE, check_metadata, settable
from jobs.emulator.storage.generations import Object, Store
from jobs.emulator.storage.resources import merge_patch
from jobs.emulator.wire import Request, Route

_PATH = "/storage/v1/b/{bucket}/o/{object}"

Change = Callable[[Object, Mapping[str, Any]], dict[str, Any]]


class Objects:
    def __init__(self, store: Store, buckets: Buckets) -> None:
        self._store, self._buckets = store, buckets

    def routes(self) -> list[Route]:
        return [
            Route("PATCH", _PATH, lambda request: self._change(request, _patched)),
            Route("PUT", _PATH, lambda request: self._change(request, _updated)),
            Route("DELETE", _PATH, self._delete),
            Route("POST", _PATH + "/restore", self._restore),
        ]

    def get(self, request: Request) -> Mapping[str, Any]:
        """The metadata; the same address with alt=media is a download."""
        bucket, name = request.params["bucket"], request.params["object"]
        generation = conditions.generation_of(request)
        with self._store.edit() as objects:
            self._buckets.find(bucket)
            if request.flag("softDeleted"):
                return objects.soft_deleted(bucket, name, generation or 0).to_json(request.origin)
            found = objects.find(bucket, name, generation)
        conditions.from_query(request).check_read(found)
        return found.to_json(request.origin)

    def _change(self, request: Request, change: Change) -> Mapping[str, Any]:
        body = request.json()
        with self._store.edit() as objects:
            found = self._find(request, objects.find)
            changed = objects.update(found, change(found, body))
        return changed.to_json(request.origin)

    def _delete(self, request: Request) -> None:
        with self._store.edit() as objects:
            found = self._find(request, objects.find)
            rules = self._buckets.find(found.bucket).rules
            if conditions.generation_of(request) is None:
                objects.retire(found, rules)
            else:
                objects.remove(found, rules)

    def _find(self, request: Request, find: Callable[[str, str, int | None], Object]) -> Object:
        """The object that the request names, if the request's conditions hold."""
        bucket, name = request.params["bucket"], request.params["object"]
        self._buckets.find(bucket)
        found = find(bucket, name, conditions.generation_of(request))
        conditions.from_query(request).check(found)
        return found

    def _restore(self, request: Request) -> Mapping[str, Any]:
        bucket, name = request.params["bucket"], request.params["object"]
        generation = conditions.generation_of(request)
        if generation is None:
            raise ApiError(400, "Required parameter: generation", "required", "INVALID_ARGUMENT")
        with self._store.edit() as objects:
            rules = self._buckets.find(bucket).rules
            deleted = objects.soft_deleted(bucket, name, generation)
            conditions.from_query(request).check(objects.live(bucket, name))
            restored = objects.restore(deleted, rules)
        return restored.to_json(request.origin)


def _patched(found: Object, patch: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {key: value for key, value in patch.items() if key in SETTABLE}
    merged = {"storageClass": found.storage_class, **merge_patch(found.resource, wanted)}
    check_metadata(merged)
    return {key: value for key, value in merged.items() if value != {}}


def _updated(found: Object, body: Mapping[str, Any]) -> dict[str, Any]:
    check_metadata(body)
    kept = {key: value for key, value in found.resource.items() if key not in SETTABLE}
    return {**kept, "storageClass": found.storage_class, **settable(body)}
