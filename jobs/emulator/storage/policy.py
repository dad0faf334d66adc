"""Policy: who may do what with a bucket; the bindings, their etag, and the permission test."""

import base64
import os
from collections.abc import Iterable, Mapping
from typing import Any

from jobs.emulator.access import current
from jobs.emulator.access.resources import a_bucket
from jobs.emulator.errors import ApiError, condition_not_met, invalid
from jobs.emulator.principals import Principals
from jobs.emulator.state import State
from jobs.emulator.storage.bucket import Bucket
from jobs.emulator.storage.buckets import POLICY, Buckets
from jobs.emulator.wire import Request, Route

_ALL = ("allUsers", "allAuthenticatedUsers")


class Policies:
    def __init__(self, state: State, buckets: Buckets, principals: Principals) -> None:
        self._state, self._buckets, self._principals = state, buckets, principals
        self._documents = state.documents(POLICY)

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/storage/v1/b/{bucket}/iam", self._get),
            Route("PUT", "/storage/v1/b/{bucket}/iam", self._set),
            Route("GET", "/storage/v1/b/{bucket}/iam/testPermissions", self._test),
        ]

    def find(self, bucket: Bucket) -> dict[str, Any]:
        return self._documents.get(bucket.name) or {
            "etag": "CAE=",
            "bindings": _default_bindings(bucket),
        }

    def _get(self, request: Request) -> Mapping[str, Any]:
        with self._state.transaction():
            bucket = self._buckets.find(request.params["bucket"])
            policy = self.find(bucket)
        asked = request.first("optionsRequestedPolicyVersion") or "1"
        if asked not in ("1", "2", "3"):
            raise invalid(f"Invalid value for optionsRequestedPolicyVersion: '{asked}'")
        return _to_json(bucket, policy)

    def _set(self, request: Request) -> Mapping[str, Any]:
        body = request.json()
        bindings = _checked_bindings(body.get("bindings") or [])
        conditional = any("condition" in binding for binding in bindings)
        if conditional and body.get("version") != 3:
            raise invalid("A policy with a condition must have version 3.")
        self._check_accounts(bindings)
        with self._state.transaction():
            bucket = self._buckets.find(request.params["bucket"])
            # Without an etag the last writer wins: Google's provider empties a policy this way.
            if body.get("etag") not in (None, "", self.find(bucket)["etag"]):
                raise condition_not_met()
            etag = base64.b64encode(os.urandom(6)).decode()
            policy = {"etag": etag, "bindings": bindings}
            self._documents.put(bucket.name, policy)
        return _to_json(bucket, policy)

    def _check_accounts(self, bindings: Iterable[Mapping[str, Any]]) -> None:
        for member in (member for binding in bindings for member in binding["members"]):
            kind, _, email = member.partition(":")
            if kind == "serviceAccount" and not self._principals.exists(email):
                raise invalid(f"Service account {email} does not exist.")

    def _test(self, request: Request) -> Mapping[str, Any]:
        bucket = self._buckets.find(request.params["bucket"])
        asked = request.query.get("permissions")
        if not asked:
            raise ApiError(400, "Required parameter: permissions", "required")
        given = [one for one in asked if current.allows(one, a_bucket(bucket.name))]
        answer: dict[str, Any] = {"kind": "storage#testIamPermissionsResponse"}
        return answer | ({"permissions": given} if given else {})


def _to_json(bucket: Bucket, policy: Mapping[str, Any]) -> dict[str, Any]:
    bindings = policy["bindings"]
    answer = {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{bucket.name}",
        "version": 3 if any("condition" in binding for binding in bindings) else 1,
        "etag": policy["etag"],
    }
    return {**answer, "bindings": bindings} if bindings else answer


def _default_bindings(bucket: Bucket) -> list[dict[str, Any]]:
    """What the service gives every new bucket."""
    editors = [f"projectEditor:{bucket.project}", f"projectOwner:{bucket.project}"]
    viewers = [f"projectViewer:{bucket.project}"]
    bindings = [
        {"role": "roles/storage.legacyBucketOwner", "members": editors},
        {"role": "roles/storage.legacyBucketReader", "members": viewers},
    ]
    if bucket.resource["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        bindings += [
            {"role": "roles/storage.legacyObjectOwner", "members": editors},
            {"role": "roles/storage.legacyObjectReader", "members": viewers},
        ]
    return bindings


def _checked_bindings(bindings: object) -> list[dict[str, Any]]:
    if not isinstance(bindings, list):
        raise invalid("Invalid value for bindings: a list is expected.")
    for binding in bindings:
        if not isinstance(binding, dict) or not str(binding.get("role", "")).startswith(
            ("roles/", "projects/", "organizations/")
        ):
            raise invalid("Invalid value for bindings: each needs a role.")
        members = binding.get("members", [])
        if not isinstance(members, list) or not all(":" in str(m) or m in _ALL for m in members):
            raise invalid(f"Invalid members of {binding['role']}.")
    return [{k: v for k, v in b.items() if v} for b in bindings if b.get("members")]
