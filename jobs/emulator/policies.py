"""Policies: the IAM policy of every resource, read and replaced whole under an etag."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import invalid, rpc_error
from jobs.emulator.principals import Principals
from jobs.emulator.state import State

Binding = dict[str, Any]

_KINDS = ("policy", "storage.policy")  # buckets keep theirs beside the bucket
_EMPTY = "ACAB"  # the etag the cloud gives to a policy nobody has written
_LOWER = ("user:", "serviceAccount:", "group:", "domain:")  # names without case
_KINDS_OF_MEMBER = (*_LOWER, "deleted:", "principal://", "principalSet://")
_EVERYONE = ("allUsers", "allAuthenticatedUsers")
_ROLES = ("roles/", "projects/", "organizations/")


class Policies:
    """By the resource's full name, as `projects/P` or `projects/P/serviceAccounts/EMAIL`."""

    def __init__(self, state: State, principals: Principals) -> None:
        self._state, self._principals = state, principals
        self._documents = state.documents(_KINDS[0])

    def get(self, resource: str, version: int = 1) -> dict[str, Any]:
        """A reader of version 1 or 2 sees conditions only as a mark on the role."""
        policy = self._documents.get(resource) or {"version": 1, "etag": _EMPTY}
        return policy if version >= 3 else _without_conditions(policy)

    def set(self, resource: str, policy: Mapping[str, Any]) -> dict[str, Any]:
        """Replace it; an etag that is not the current one is 409, none at all overwrites."""
        bindings = _merged(_listed(policy))
        with self._state.transaction():
            self._check_etag(resource, policy.get("etag"))
            for binding in bindings:
                self._check(binding, policy.get("version") or 1)
            written: dict[str, Any] = {
                "version": 3 if any("condition" in one for one in bindings) else 1,
                "etag": self._etag(),
            }
            if bindings:
                written["bindings"] = bindings
            if policy.get("auditConfigs"):
                written["auditConfigs"] = policy["auditConfigs"]
            self._documents.put(resource, written)
        return written

    def delete(self, resource: str) -> None:
        """The policy goes with its resource: another of the same name starts with none."""
        self._documents.delete(resource)

    def forget(self, email: str, unique_id: str) -> None:
        """Mark a deleted account wherever it is bound: its namesake must not inherit the roles."""
        old, new = f"serviceAccount:{email}", f"deleted:serviceAccount:{email}?uid={unique_id}"
        with self._state.transaction() as database:
            database.execute(
                "UPDATE documents SET body = replace(body, ?, ?) WHERE kind IN (?, ?)",
                (json.dumps(old), json.dumps(new), *_KINDS),
            )

    def _check_etag(self, resource: str, etag: str | None) -> None:
        current = self.get(resource, 3)["etag"]
        if etag and etag != current:
            raise rpc_error(
                "ABORTED",
                "There were concurrent policy changes. Please retry the whole read-modify-write"
                f" with exponential backoff. The request's ETag '{etag}' did not match the current"
                f" policy's ETag '{current}'.",
            )

    def _check(self, binding: Binding, version: int) -> None:
        role = binding["role"]
        if not role.startswith(_ROLES) or "_withcond_" in role:
            raise invalid(f"Role {role} is not supported for this resource.")
        if "condition" in binding and version < 3:
            raise invalid("A policy with conditional role bindings must have version 3.")
        for member in binding["members"]:
            if not (member in _EVERYONE or member.startswith(_KINDS_OF_MEMBER)):
                raise invalid(
                    f"The member {member} is of an unknown type."
                    " Please set an appropriate type prefix for the member."
                )
            kind, _, email = member.partition(":")
            if kind == "serviceAccount" and not self._principals.exists(email):
                raise invalid(f"Service account {email} does not exist.")

    def _etag(self) -> str:
        return base64.b64encode(self._state.microsecond().to_bytes(8, "big")).decode()


def _listed(policy: Mapping[str, Any]) -> list[Binding]:
    """The bindings as they were sent, if they have the shape of bindings."""
    bindings = policy.get("bindings") or []
    if not isinstance(bindings, list):
        raise invalid("Invalid value for bindings: a list is expected.")
    for one in bindings:
        members = one.get("members", []) if isinstance(one, dict) else None
        if not isinstance(members, list) or not all(isinstance(each, str) for each in members):
            raise invalid("Invalid value for bindings: each has a role and a list of members.")
    return bindings


def _merged(bindings: list[Binding]) -> list[Binding]:
    """One binding a role and condition, members once each; the order never means anything."""
    merged: dict[tuple[str, str], Binding] = {}
    for binding in bindings:
        condition = binding.get("condition")
        key = (str(binding.get("role", "")), json.dumps(condition, sort_keys=True))
        one = merged.setdefault(key, {"role": key[0], "members": []})
        if condition:
            one["condition"] = condition
        members = {*one["members"], *map(_same_case, binding.get("members", []))}
        one["members"] = sorted(members)
    return [merged[key] for key in sorted(merged) if merged[key]["members"]]


def _same_case(member: str) -> str:
    kind, colon, name = member.partition(":")
    return f"{kind}:{name.lower()}" if kind + colon in _LOWER else member


def _without_conditions(policy: dict[str, Any]) -> dict[str, Any]:
    if "bindings" not in policy:
        return policy
    bindings = [
        {"role": f"{one['role']}_withcond_{_digest(one)}", "members": one["members"]}
        if "condition" in one
        else one
        for one in policy["bindings"]
    ]
    return {**policy, "version": 1, "bindings": bindings}


def _digest(binding: Binding) -> str:
    text = json.dumps(binding["condition"], sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:20]
