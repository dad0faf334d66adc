"""CustomRole: a project's own role; one that was deleted is brought back, for its id is taken."""

from typing import ClassVar

from jobs.emulator.provider.client import Client, Refused, Values, segment
from jobs.emulator.provider.resource import Input, Resource, project_of

_SENT = {
    "title": "title",
    "description": "description",
    "stage": "stage",
    "permissions": "includedPermissions",
}


class CustomRole(Resource):
    token = "gcp:projects/iAMCustomRole:IAMCustomRole"
    inputs: ClassVar = {
        "roleId": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
        "title": Input(required=True),
        "permissions": Input(required=True),
        "description": Input(),
        "stage": Input(filled=True),
    }
    outputs = frozenset({"project", "name", "deleted", "stage"})
    naming = frozenset({"roleId", "project"})

    def foresee(self, client: Client, inputs: Values) -> Values:
        project = project_of(client, inputs)
        name = f"projects/{project}/roles/{inputs['roleId']}"
        known = {"project": project, "name": name, "deleted": False}
        return known | {"stage": inputs.get("stage") or "GA"}

    def create(self, client: Client, inputs: Values) -> str:
        roles = f"projects/{segment(project_of(client, inputs))}/roles"
        name, role = f"{roles}/{inputs['roleId']}", _body(inputs)
        before = client.find(f"/v1/{name}")
        if before is None:
            body = {"roleId": inputs["roleId"], "role": role}
            return str(client.call("POST", f"/v1/{roles}", body)["name"])
        if not before.get("deleted"):
            raise Refused(409, f"{name} exists already; import it to manage it here")
        client.call("POST", f"/v1/{name}:undelete", {})
        client.call("PATCH", f"/v1/{name}", role)
        return name

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        role = client.find(f"/v1/{id}")
        if role is None or role.get("deleted"):
            return None
        _, project, _, role_id = role["name"].split("/")
        fields = {name: role[key] for name, key in _SENT.items() if key in role}
        same = {"project": project, "roleId": role_id, "name": role["name"], "deleted": False}
        return role["name"], fields | same

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        client.call("PATCH", f"/v1/{id}", _body(new))

    def delete(self, client: Client, id: str, state: Values) -> None:
        client.remove(f"/v1/{id}")


def _body(inputs: Values) -> Values:
    body = {key: inputs[name] for name, key in _SENT.items() if inputs.get(name) is not None}
    return {"stage": "GA", "description": ""} | body
