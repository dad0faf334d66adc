"""Buckets: create, get, list, patch, update and delete."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.emulator.errors import ApiError, conflict, invalid, not_found
from jobs.emulator.principals import Principals
from jobs.emulator.state import State
from jobs.emulator.storage import conditions
from jobs.emulator.storage.bucket import Bucket, new_bucket, patched, updated
from jobs.emulator.storage.generations import Store
from jobs.emulator.storage.names import check_bucket_name
from jobs.emulator.storage.pages import decode_token, encode_token, limit_of
from jobs.emulator.wire import Request, Route

POLICY = "storage.policy"  # the kind of the documents that go with a bucket
_KIND = "storage.bucket"
_OWNED = "Your previous request to create the named bucket succeeded and you already own it."
_TAKEN = (
    "The requested bucket name is not available. The bucket namespace is shared by all users of"
    " the system. Please select a different name and try again."
)
_AGENT = "gs-project-accounts"

KeyFault = Callable[[str, str, str], ApiError | None]  # of a key, for a location and an agent


def no_fault(key: str, location: str, agent: str) -> None:
    """Where nobody keeps keys, every key will do."""


Change = Callable[[Bucket, int, Mapping[str, Any]], Bucket]


class Buckets:
    def __init__(
        self,
        state: State,
        store: Store,
        principals: Principals,
        numbers: Mapping[str, str],
        key_fault: KeyFault,
    ) -> None:
        self._state, self._store = state, store
        self._principals, self._numbers = principals, numbers
        self._key_fault = key_fault
        self._documents = state.documents(_KIND)

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/storage/v1/b", self._create),
            Route("GET", "/storage/v1/b", self._list),
            Route("GET", "/storage/v1/b/{bucket}", self._get),
            Route("PATCH", "/storage/v1/b/{bucket}", lambda r: self._change(r, patched)),
            Route("PUT", "/storage/v1/b/{bucket}", lambda r: self._change(r, updated)),
            Route("DELETE", "/storage/v1/b/{bucket}", self._delete),
            Route("GET", "/storage/v1/b/{bucket}/anywhereCaches/", self._caches),
            Route("GET", "/storage/v1/b/{bucket}/anywhereCaches", self._caches),
            Route("GET", "/storage/v1/projects/{project}/serviceAccount", self._service_account),
        ]

    def exists(self, name: str) -> bool:
        return self._documents.get(name) is not None

    def find(self, name: str) -> Bucket:
        document = self._documents.get(name)
        if document is None:
            raise not_found("The specified bucket does not exist.")
        return Bucket(**document)

    def _create(self, request: Request) -> Mapping[str, Any]:
        body = request.json()
        name, project = check_bucket_name(body.get("name")), request.first("project") or ""
        number = self._number(project)
        with self._state.transaction():
            if other := self._documents.get(name):
                raise conflict(_OWNED if other["project"] == project else _TAKEN)
            now = self._state.microsecond()
            bucket = new_bucket(name, project, number, now, body)
            self._check_key(bucket)
            self._documents.put(name, bucket.document())
        return bucket.to_json()

    def _get(self, request: Request) -> Mapping[str, Any]:
        bucket = self.find(request.params["bucket"])
        conditions.from_query(request).check_read(bucket)
        return bucket.to_json()

    def _list(self, request: Request) -> Mapping[str, Any]:
        project, limit = request.first("project"), limit_of(request)
        (after,) = decode_token(request.first("pageToken"), "")
        prefix = request.first("prefix") or ""
        documents = self._documents.list(prefix=prefix, after=str(after))
        found = [Bucket(**each) for each in documents if each["project"] == project]
        page: dict[str, Any] = {"kind": "storage#buckets"}
        page["items"] = [bucket.to_json() for bucket in found[:limit]]
        if len(found) > limit:
            page["nextPageToken"] = encode_token(found[limit - 1].name)
        return page

    def _change(self, request: Request, change: Change) -> Mapping[str, Any]:
        body = request.json()
        with self._state.transaction():
            bucket = self.find(request.params["bucket"])
            conditions.from_query(request).check(bucket)
            changed = change(bucket, self._state.microsecond(), body)
            self._check_key(changed)
            self._documents.put(changed.name, changed.document())
        return changed.to_json()

    def _delete(self, request: Request) -> None:
        with self._store.edit() as objects:
            bucket = self.find(request.params["bucket"])
            conditions.from_query(request).check(bucket)
            if not objects.is_empty(bucket.name):
                message = "The bucket you tried to delete is not empty."
                raise ApiError(409, message, "conflict", "FAILED_PRECONDITION")
            objects.drop_bucket(bucket.name)
            self._documents.delete(bucket.name)
            self._state.documents(POLICY).delete(bucket.name)

    def _caches(self, request: Request) -> Mapping[str, Any]:
        self.find(request.params["bucket"])
        return {"kind": "storage#anywhereCaches"}

    def _check_key(self, bucket: Bucket) -> None:
        """The bucket's own key must be one that the service itself may use."""
        resource = bucket.to_json()
        key = resource.get("encryption", {}).get("defaultKmsKeyName")
        if not key:
            return
        agent = self._principals.agent(self._number(bucket.project), _AGENT)
        if error := self._key_fault(key, str(resource["location"]), agent):
            raise error

    def _service_account(self, request: Request) -> Mapping[str, Any]:
        number = self._number(request.params["project"])
        email = self._principals.agent(number, _AGENT)
        return {"kind": "storage#serviceAccount", "email_address": email}

    def _number(self, project: str) -> str:
        if not project:
            raise ApiError(400, "Required parameter: project", "required", "INVALID_ARGUMENT")
        number = self._numbers.get(project)
        if number is None:
            raise invalid(f"Unknown project id: {project}")
        return number
