"""Endpoints on the wire: what is deployed where, and changing it."""

import re

from jobs.emulator.errors import rpc_error
from jobs.emulator.state import State
from jobs.emulator.vertex.deployment import Deployment, Endpoint
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.labels import label_faults
from jobs.emulator.vertex.listing import in_memory, page
from jobs.emulator.vertex.masks import masked
from jobs.emulator.vertex.names import ModelName, Names
from jobs.emulator.vertex.operations import Operations
from jobs.emulator.vertex.registry import Registry
from jobs.emulator.wire import Answer, Request, Route

_FILTERS = {"display_name": "displayName", "displayName": "displayName"}
_UPDATABLE = frozenset({"display_name", "description", "labels"})
_ENDPOINT_ID = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?|[1-9][0-9]{0,8}"
_DEPLOYED_ID = "[0-9]{1,10}"
_TYPE = "type.googleapis.com/google.cloud.aiplatform"


class Endpoints:
    def __init__(
        self,
        state: State,
        deployment: Deployment,
        registry: Registry,
        operations: Operations,
        names: Names,
    ) -> None:
        self._state, self._deployment, self._registry = state, deployment, registry
        self._operations, self._names = operations, names

    def routes(self, root: str) -> list[Route]:
        endpoints = f"/{root}/projects/{{project}}/locations/{{location}}/endpoints"
        return [
            Route("POST", endpoints, self._create),
            Route("GET", endpoints, self._list),
            Route("POST", f"{endpoints}/{{id}}:deployModel", self._deploy),
            Route("POST", f"{endpoints}/{{id}}:undeployModel", self._undeploy),
            Route("GET", f"{endpoints}/{{id}}", self._get),
            Route("PATCH", f"{endpoints}/{{id}}", self._update),
            Route("DELETE", f"{endpoints}/{{id}}", self._delete),
        ]

    def _create(self, request: Request) -> Answer:
        body, place = Fields(request.json(), "endpoint"), self._names.place(request)
        id = request.first("endpointId") or request.first("endpoint_id") or ""
        _check_id(_ENDPOINT_ID, "endpoint_id", id)
        endpoint = self._deployment.create(place, _inputs(body, sorted(_UPDATABLE)), id)
        root = _root(request)
        response = {"@type": f"{_TYPE}.{root}.Endpoint", **endpoint}
        return self._operations.done(place, root, "CreateEndpoint", response)

    def _get(self, request: Request) -> Answer:
        return self._deployment.get(self._names.resource(request, "endpoints"))

    def _list(self, request: Request) -> Answer:
        endpoints = self._deployment.all(self._names.place(request))
        return page(request, "endpoints", in_memory(endpoints), _FILTERS)

    def _update(self, request: Request) -> Answer:
        body = Fields(request.json(), "endpoint")
        inputs = _inputs(body, masked(request, body, _UPDATABLE))

        def update(endpoint: Endpoint) -> None:
            endpoint |= inputs

        return self._deployment.change(self._names.resource(request, "endpoints"), update)

    def _delete(self, request: Request) -> Answer:
        self._deployment.delete(self._names.resource(request, "endpoints"))
        return self._operations.done(self._names.place(request), _root(request), "DeleteEndpoint")

    def _deploy(self, request: Request) -> Answer:
        place, endpoint = self._names.place(request), self._names.resource(request, "endpoints")
        asked = Fields(request.json()).message("deployed_model")
        name, id = self._names.model_named(asked.text("model")), asked.text("id")
        _check_id(_DEPLOYED_ID, "deployed_model.id", id)
        if name.place != place:
            raise rpc_error(
                "INVALID_ARGUMENT", f"{name} and {endpoint} must be in the same location."
            )
        with self._state.transaction():  # nobody deletes it meanwhile
            version = self._registry.get(name)
            checkpoint = asked.text("checkpoint_id") or version["defaultCheckpointId"]
            numbered = ModelName(name.place, name.id, version["versionId"])
            if checkpoint not in self._registry.adapters(name, version):
                raise rpc_error("INVALID_ARGUMENT", f"Checkpoint {checkpoint!r} does not exist.")
            title = asked.text("display_name") or version["displayName"]
            deployed = self._deployment.deploy(endpoint, numbered, checkpoint, title, id)
        response = {"deployedModel": deployed}
        return self._operations.done(place, _root(request), "DeployModel", response)

    def _undeploy(self, request: Request) -> Answer:
        endpoint = self._names.resource(request, "endpoints")
        self._deployment.undeploy(endpoint, Fields(request.json()).text("deployed_model_id"))
        place = self._names.place(request)
        return self._operations.done(place, _root(request), "UndeployModel", {})


def _check_id(rule: str, field: str, id: str) -> None:
    if id and not re.fullmatch(rule, id):
        raise rpc_error("INVALID_ARGUMENT", f"Invalid {field} {id!r}: it must match {rule}.")


def _inputs(body: Fields, names: list[str]) -> Endpoint:
    inputs: Endpoint = {}
    for name in names:
        if name == "labels":
            inputs["labels"] = _labels(body)
        else:
            inputs["displayName" if name == "display_name" else name] = body.text(name)
    return inputs


def _labels(body: Fields) -> dict[str, str]:
    labels = body.text_map("labels")
    if faults := label_faults(labels):
        raise rpc_error("INVALID_ARGUMENT", faults[0], violations={body.path("labels"): faults[0]})
    return labels


def _root(request: Request) -> str:
    return request.path.split("/")[1]
