"""Channel, Alert and Budget: who is told, of what, and how much may be spent."""

from collections.abc import Mapping
from typing import Any, ClassVar

from jobs.emulator.provider.client import Client, Values
from jobs.emulator.provider.resource import Input, Resource, project_of


class _Kept(Resource):
    """The service has the fields by the names of the inputs, but for those in `renamed`."""

    outputs = frozenset({"name"})
    own: tuple[str, ...]  # inputs that say where it is, or that only the provider hears of
    renamed: ClassVar[Mapping[str, str]] = {}

    def parent(self, client: Client, inputs: Values) -> str:
        raise NotImplementedError

    def create(self, client: Client, inputs: Values) -> str:
        made = client.call("POST", self.parent(client, inputs), self.body(inputs))
        return str(made["name"])

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        found = client.find(f"{self.root}/{id}")
        if found is None:
            return None
        names = {field: name for name, field in self.renamed.items()}
        fields = {names.get(field, field): value for field, value in found.items()}
        return found["name"], self.properties(id, fields)

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        client.call("PATCH", f"{self.root}/{id}", self.body(new))

    def delete(self, client: Client, id: str, state: Values) -> None:
        client.remove(f"{self.root}/{id}")

    root: str

    def body(self, inputs: Values) -> Values:
        sent = {name: value for name, value in inputs.items() if name not in self.own}
        return {self.renamed.get(name, name): value for name, value in sent.items()}

    def properties(self, id: str, fields: Values) -> Values:
        known = {name: value for name, value in fields.items() if name in self.inputs}
        return known | {"name": fields["name"]}


class _InProject(_Kept):
    root = "/v3"
    own: tuple[str, ...] = ("project",)
    outputs = frozenset({"name", "project"})
    collection: str

    def foresee(self, client: Client, inputs: Values) -> Values:
        return {"project": project_of(client, inputs)}

    def parent(self, client: Client, inputs: Values) -> str:
        return f"/v3/projects/{project_of(client, inputs)}/{self.collection}"

    def properties(self, id: str, fields: Values) -> Values:
        return super().properties(id, fields) | {"project": id.split("/")[1]}


class Channel(_InProject):
    token = "gcp:monitoring/notificationChannel:NotificationChannel"
    collection = "notificationChannels"
    inputs: ClassVar = {
        "type": Input(required=True),
        "displayName": Input(),
        "description": Input(),
        "labels": Input(),
        "userLabels": Input(),
        "enabled": Input(filled=True),
        "forceDelete": Input(local=True),
        "project": Input(replaces=True, filled=True),
    }
    own = ("project", "forceDelete")


class Alert(_InProject):
    token = "gcp:monitoring/alertPolicy:AlertPolicy"
    collection = "alertPolicies"
    inputs: ClassVar = {
        "displayName": Input(required=True),
        "combiner": Input(required=True),
        "conditions": Input(required=True),
        "alertStrategy": Input(),
        "documentation": Input(),
        "notificationChannels": Input(),
        "severity": Input(),
        "userLabels": Input(),
        "enabled": Input(filled=True),
        "project": Input(replaces=True, filled=True),
    }

    def properties(self, id: str, fields: Values) -> Values:
        """Without the names of the conditions, which nobody gives."""
        conditions = [
            {key: value for key, value in one.items() if key != "name"}
            for one in fields["conditions"]
        ]
        return super().properties(id, {**fields, "conditions": conditions})


class Budget(_Kept):
    token = "gcp:billing/budget:Budget"
    root = "/v1"
    own = ("billingAccount",)
    renamed: ClassVar = {"allUpdatesRule": "notificationsRule"}
    inputs: ClassVar = {
        "billingAccount": Input(required=True, replaces=True),
        "amount": Input(required=True),
        "displayName": Input(),
        "budgetFilter": Input(),
        "thresholdRules": Input(),
        "allUpdatesRule": Input(),
    }

    def parent(self, client: Client, inputs: Values) -> str:
        return f"/v1/billingAccounts/{inputs['billingAccount']}/budgets"

    def properties(self, id: str, fields: Values) -> Values:
        known: dict[str, Any] = super().properties(id, fields)
        return known | {"billingAccount": id.split("/")[1]}
