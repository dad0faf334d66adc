"""Account: a service account."""

from typing import ClassVar

from jobs.emulator.provider.client import Client, Values, segment
from jobs.emulator.provider.resource import Input, Resource, project_of

_TEXTS = {"displayName": "display_name", "description": "description"}


class Account(Resource):
    token = "gcp:serviceaccount/account:Account"
    inputs: ClassVar = {
        "accountId": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
        "displayName": Input(),
        "description": Input(),
        "disabled": Input(),
        "createIgnoreAlreadyExists": Input(local=True),
    }
    outputs = frozenset({"project", "email", "member", "name", "uniqueId"})
    naming = frozenset({"accountId", "project"})

    def foresee(self, client: Client, inputs: Values) -> Values:
        project, account = project_of(client, inputs), str(inputs["accountId"])
        email = f"{account}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        known = {"email": email, "member": f"serviceAccount:{email}", "name": name}
        return known | {"project": project}

    def create(self, client: Client, inputs: Values) -> str:
        path = f"/v1/projects/{segment(project_of(client, inputs))}/serviceAccounts"
        texts = {name: inputs[name] for name in _TEXTS if inputs.get(name)}
        body = {"accountId": inputs["accountId"], "serviceAccount": texts}
        made = client.call("POST", path, body)
        if inputs.get("disabled"):
            client.call("POST", f"/v1/{made['name']}:disable", {})
        return str(made["name"])

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        account = client.find(f"/v1/{id}")
        if account is None:
            return None
        observed: Values = {
            "accountId": account["email"].split("@")[0],
            "project": account["projectId"],
            "displayName": account.get("displayName", ""),
            "description": account.get("description", ""),
            "disabled": account.get("disabled", False),
            "email": account["email"],
            "member": f"serviceAccount:{account['email']}",
            "name": account["name"],
            "uniqueId": account["uniqueId"],
        }
        return account["name"], observed

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        path = f"/v1/{id}"
        if bool(old.get("disabled")) != bool(new.get("disabled")):
            client.call("POST", f"{path}:{'disable' if new.get('disabled') else 'enable'}", {})
        mask = [field for name, field in _TEXTS.items() if old.get(name) != new.get(name)]
        if mask:
            account = client.call("GET", path)
            texts = {name: new.get(name, "") for name in _TEXTS}
            body = {"serviceAccount": texts | {"etag": account["etag"]}}
            client.call("PATCH", path, body | {"updateMask": ",".join(sorted(mask))})

    def delete(self, client: Client, id: str, state: Values) -> None:
        client.remove(f"/v1/{id}")
