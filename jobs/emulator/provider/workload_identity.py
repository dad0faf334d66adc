"""Pool and PoolProvider: whose tokens, from outside, may stand for a principal here."""

from collections.abc import Mapping
from typing import ClassVar

from jobs.emulator.provider.client import Client, Values
from jobs.emulator.provider.resource import Input, Resource, project_of

_OIDC = {
    "issuerUri": "issuer_uri",
    "allowedAudiences": "allowed_audiences",
    "jwksJson": "jwks_json",
}


class _Entity(Resource):
    """What a pool and a provider have in common: the fields they send are the inputs' names."""

    outputs = frozenset({"project", "name", "state"})
    sent: tuple[str, ...]

    def foresee(self, client: Client, inputs: Values) -> Values:
        return {"project": project_of(client, inputs)}

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        entity = client.find(f"/v1/{id}")
        if entity is None or entity.get("state") == "DELETED":
            return None
        parts = id.split("/")
        ids = dict(zip(self.ids, parts[5::2], strict=True))
        fields = {name: entity[name] for name in self.sent if name in entity}
        return id, ids | fields | {
            "project": parts[1],
            "name": entity["name"],
            "state": entity["state"],
        }

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        changed = [name for name in self.sent if old.get(name) != new.get(name)]
        mask = [path for name in changed for path in self.mask(name)]
        if mask:
            query = {"updateMask": ",".join(mask)}
            client.call("PATCH", f"/v1/{id}", _some(self.sent, new), query)

    def delete(self, client: Client, id: str, state: Values) -> None:
        client.remove(f"/v1/{id}")

    ids: tuple[str, ...]

    def mask(self, name: str) -> list[str]:
        return [f"oidc.{field}" for field in _OIDC.values()] if name == "oidc" else [name]


class Pool(_Entity):
    token = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
    sent = ("displayName", "description", "disabled", "mode")
    ids = ("workloadIdentityPoolId",)
    naming = frozenset({"workloadIdentityPoolId", "project"})
    inputs: ClassVar = {
        "workloadIdentityPoolId": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
        "displayName": Input(),
        "description": Input(),
        "disabled": Input(),
        "mode": Input(replaces=True, filled=True),
    }

    def create(self, client: Client, inputs: Values) -> str:
        pools = f"projects/{project_of(client, inputs)}/locations/global/workloadIdentityPools"
        id = inputs["workloadIdentityPoolId"]
        query = {"workloadIdentityPoolId": id}
        client.call("POST", f"/v1/{pools}", _some(self.sent, inputs), query)
        return f"{pools}/{id}"


class PoolProvider(_Entity):
    token = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
    sent = (
        "displayName",
        "description",
        "disabled",
        "attributeMapping",
        "attributeCondition",
        "oidc",
    )
    ids = ("workloadIdentityPoolId", "workloadIdentityPoolProviderId")
    naming = frozenset({"workloadIdentityPoolProviderId", "workloadIdentityPoolId", "project"})
    inputs: ClassVar = {
        "workloadIdentityPoolId": Input(required=True, replaces=True),
        "workloadIdentityPoolProviderId": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
        **{name: Input(required=name == "oidc") for name in sent},
    }

    def create(self, client: Client, inputs: Values) -> str:
        pools = f"projects/{project_of(client, inputs)}/locations/global/workloadIdentityPools"
        providers = f"{pools}/{inputs['workloadIdentityPoolId']}/providers"
        id = inputs["workloadIdentityPoolProviderId"]
        query = {"workloadIdentityPoolProviderId": id}
        client.call("POST", f"/v1/{providers}", _some(self.sent, inputs), query)
        return f"{providers}/{id}"


def _some(names: tuple[str, ...], inputs: Mapping[str, object]) -> Values:
    return {name: inputs[name] for name in names if inputs.get(name) is not None}
