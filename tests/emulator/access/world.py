"""World: an emulator with a bucket, an account without any role, and ways to give it some."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.emulator.wire import Wire

PROJECT = "/v1/projects/vertune-local"
BUCKET = "/storage/v1/b/b-1"
EMAIL = "worker@vertune-local.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{EMAIL}"
ACCOUNT = f"{PROJECT}/serviceAccounts/{EMAIL}"


@dataclass(frozen=True)
class World:
    owner: Wire
    worker: Wire

    @classmethod
    def made_on(cls, url: str) -> "World":
        owner = Wire(url)
        owner.call("POST", f"{PROJECT}/serviceAccounts", {"accountId": "worker"})
        owner.call("POST", "/storage/v1/b?project=vertune-local", {"name": "b-1"})
        owner.call("POST", f"{PROJECT}/roles", {"roleId": "given", "role": {"title": "Given"}})
        return cls(owner, owner.impersonating(EMAIL))

    def bind(self, *roles: str, condition: str = "") -> None:
        """These roles in the project, and no others."""
        policy = _policy(roles, condition)
        self.owner.call("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})

    def bind_in_bucket(self, *roles: str, condition: str = "") -> None:
        self.owner.call("PUT", f"{BUCKET}/iam", _policy(roles, condition))

    def give(self, permissions: Sequence[str]) -> None:
        """A role of the project's own, with just these permissions, wherever a role can be."""
        body = {"includedPermissions": list(permissions) or None, "title": "Given"}
        self.owner.call("DELETE", f"{PROJECT}/roles/given")
        self.owner.call("POST", f"{PROJECT}/roles/given:undelete")
        self.owner.call("PATCH", f"{PROJECT}/roles/given?updateMask=includedPermissions", body)
        self.bind(f"{PROJECT[4:]}/roles/given")
        policy = {"policy": _policy([f"{PROJECT[4:]}/roles/given"], "")}
        self.owner.call("POST", "/v1/billingAccounts/missing:setIamPolicy", policy)

    def upload(self, name: str, more: str = "", as_: Wire | None = None) -> tuple[int, Any]:
        path = f"/upload{BUCKET}/o?uploadType=media&name={name}{more}"
        return (as_ or self.worker).ask("POST", path, {"any": "thing"})


def _policy(roles: Sequence[str], condition: str) -> dict[str, Any]:
    extra = {"condition": {"title": "c", "expression": condition}} if condition else {}
    bindings = [{"role": role, "members": [MEMBER], **extra} for role in roles]
    return {"version": 3, "bindings": bindings}
