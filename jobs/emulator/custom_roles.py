"""CustomRoles: a project's own roles; a deleted one keeps its id and can be brought back."""

import base64
import re
from typing import Any

from jobs.emulator.access.roles import KIND
from jobs.emulator.errors import conflict, invalid, not_found, rpc_error
from jobs.emulator.projects import Projects
from jobs.emulator.shapes import a_text, an_object, texts
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_ROLES = "/v1/projects/{project}/roles"
_ROLE = _ROLES + "/{role}"
_ID = re.compile(r"[a-zA-Z0-9_.]{3,64}")
_PERMISSION = re.compile(r"[a-z][a-zA-Z0-9]*\.[a-zA-Z0-9]+\.[a-zA-Z0-9]+")
_FIELDS = ("title", "description", "stage")

Role = dict[str, Any]


class CustomRoles:
    def __init__(self, state: State, projects: Projects) -> None:
        self._state, self._projects = state, projects
        self._documents = state.documents(KIND)

    def routes(self) -> list[Route]:
        return [
            Route("POST", _ROLES, self._create),
            Route("GET", _ROLES, self._list),
            Route("POST", _ROLE + ":undelete", lambda request: self._mark(request, False)),
            Route("GET", _ROLE, self._get),
            Route("PATCH", _ROLE, self._patch),
            Route("DELETE", _ROLE, lambda request: self._mark(request, True)),
        ]

    def _create(self, request: Request) -> Answer:
        body, project = request.json(), self._projects.find(request.params["project"])
        id, role = a_text(body, "roleId"), _checked(an_object(body, "role"))
        if not _ID.fullmatch(id):
            raise invalid(f"The role_id {id!r} must be 3 to 64 letters, digits, _ and periods.")
        name = f"projects/{project.id}/roles/{id}"
        with self._state.transaction():
            if before := self._documents.get(name):
                raise _taken(name, before)
            return self._store(name, role)

    def _get(self, request: Request) -> Role:
        project = self._projects.find(request.params["project"])
        name = f"projects/{project.id}/roles/{request.params['role']}"
        if found := self._documents.get(name):
            return found
        raise not_found(f"The role named {name} was not found.")

    def _list(self, request: Request) -> Answer:
        project = self._projects.find(request.params["project"])
        found = self._documents.list(f"projects/{project.id}/roles/")
        shown = [one for one in found if request.flag("showDeleted") or not one.get("deleted")]
        return {"roles": shown}

    def _patch(self, request: Request) -> Answer:
        wanted = _checked(request.json())
        mask = [field for field in (request.first("updateMask") or "").split(",") if field]
        with self._state.transaction():
            role = self._get(request)
            if role.get("deleted"):
                raise rpc_error("FAILED_PRECONDITION", f"The role {role['name']} is deleted.")
            changed = {key: value for key, value in wanted.items() if not mask or key in mask}
            return self._store(role["name"], role | changed)

    def _mark(self, request: Request, deleted: bool) -> Answer:
        with self._state.transaction():
            role = self._get(request)
            role.pop("deleted", None)
            return self._store(role["name"], role | ({"deleted": True} if deleted else {}))

    def _store(self, name: str, role: Role) -> Role:
        etag = base64.b64encode(self._state.microsecond().to_bytes(8, "big")).decode()
        role = role | {"name": name, "etag": etag}
        self._documents.put(name, role)
        return role


def _checked(body: Role) -> Role:
    permissions = texts(body, "includedPermissions")
    for one in permissions:
        if not _PERMISSION.fullmatch(one):
            raise invalid(f"Permission {one} is not valid.")
    fields = {name: a_text(body, name) for name in _FIELDS if name in body}
    named = {"includedPermissions": sorted(permissions)} if "includedPermissions" in body else {}
    return fields | named


def _taken(name: str, before: Role) -> Exception:
    if before.get("deleted"):
        return rpc_error(
            "FAILED_PRECONDITION",
            f"You can't create a role with role_id ({name.rpartition('/')[2]}) where there is an"
            " existing role with that role_id in a deleted state.",
        )
    return conflict(f"A role named {name} already exists.")
