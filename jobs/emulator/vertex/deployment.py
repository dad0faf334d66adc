"""Deployment: endpoints on record and the model versions deployed to them."""

from collections.abc import Callable
from typing import Any

from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.state import State
from jobs.emulator.vertex.names import ModelName, Place, local_id
from jobs.emulator.vertex.times import timestamp

Endpoint = dict[str, Any]


class Deployment:
    def __init__(self, state: State) -> None:
        self._state = state
        self._documents = state.documents("endpoints")

    def get(self, name: str) -> Endpoint:
        if endpoint := self._documents.get(name):
            return endpoint
        raise _missing(name)

    def all(self, place: Place) -> list[Endpoint]:
        return self._documents.list(f"{place}/endpoints/")

    def create(self, place: Place, inputs: Endpoint, id: str = "") -> Endpoint:
        """By the id that is asked for, or one that nobody else gets."""
        with self._state.transaction():
            microsecond = self._state.microsecond()
            stamp = timestamp(microsecond)
            name = place.name("endpoints", id or local_id(microsecond))
            if self._documents.get(name):
                raise rpc_error("ALREADY_EXISTS", f"The Endpoint already exists: {name}")
            endpoint = {"name": name, **inputs, "createTime": stamp, "updateTime": stamp}
            self._documents.put(name, endpoint)
        return endpoint

    def change(self, name: str, change: Callable[[Endpoint], None]) -> Endpoint:
        with self._state.transaction():
            endpoint = self.get(name)
            change(endpoint)
            endpoint["updateTime"] = self._now()
            self._documents.put(name, endpoint)
        return endpoint

    def deploy(
        self,
        endpoint: str,
        version: ModelName,
        checkpoint: str,
        display_name: str,
        id: str = "",
    ) -> dict[str, Any]:
        """All traffic goes to what is deployed last."""
        deployed = {
            "id": id or local_id(self._state.microsecond()).removeprefix("local-"),
            "model": str(version),
            "modelVersionId": str(version.version),
            "checkpointId": checkpoint,
            "displayName": display_name,
            "createTime": self._now(),
        }

        def add(endpoint: Endpoint) -> None:
            there = endpoint.setdefault("deployedModels", [])
            if deployed["id"] in [one["id"] for one in there]:
                raise rpc_error("ALREADY_EXISTS", f"DeployedModel {deployed['id']} already exists.")
            there.append(deployed)
            endpoint["trafficSplit"] = {deployed["id"]: 100}

        self.change(endpoint, add)
        return deployed

    def undeploy(self, endpoint: str, id: str) -> None:
        def remove(found: Endpoint) -> None:
            kept = [one for one in found.get("deployedModels", []) if one["id"] != id]
            if len(kept) == len(found.get("deployedModels", [])):
                raise rpc_error("NOT_FOUND", f"DeployedModel {id} does not exist in {endpoint}.")
            found["deployedModels"] = kept
            found["trafficSplit"] = {kept[-1]["id"]: 100} if kept else {}

        self.change(endpoint, remove)

    def delete(self, name: str) -> None:
        with self._state.transaction():
            if self.get(name).get("deployedModels"):
                raise rpc_error(
                    "FAILED_PRECONDITION",
                    f"Endpoint {name} has deployed or being-deployed DeployedModel(s).",
                )
            self._documents.delete(name)

    def deployed(self, place: Place) -> dict[str, list[dict[str, str]]]:
        """Where each version of a location's models is deployed, by model@version."""
        found: dict[str, list[dict[str, str]]] = {}
        for endpoint in self.all(place):
            for one in endpoint.get("deployedModels", []):
                where = {"endpoint": endpoint["name"], "deployedModelId": one["id"]}
                found.setdefault(f"{one['model']}@{one['modelVersionId']}", []).append(where)
        return found

    def serving(self, name: str) -> tuple[ModelName, str]:
        """The version and checkpoint that answers for an endpoint."""
        deployed = self.get(name).get("deployedModels")
        if not deployed:
            raise rpc_error("FAILED_PRECONDITION", f"No model is deployed to endpoint {name}.")
        _, project, _, location, _, id = deployed[-1]["model"].split("/")
        version = ModelName(Place(project, location), id, deployed[-1]["modelVersionId"])
        return version, deployed[-1]["checkpointId"]

    def _now(self) -> str:
        return timestamp(self._state.microsecond())


def _missing(name: str) -> ApiError:
    return rpc_error(
        "NOT_FOUND",
        f"Endpoint `{name}` not found. A tuned Gemini endpoint answers only in its own location.",
    )
