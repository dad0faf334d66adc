"""Models: the registry on the wire, with versions, aliases, checkpoints and copies."""

import re

from jobs.emulator.errors import rpc_error
from jobs.emulator.state import State
from jobs.emulator.vertex.deployment import Deployment
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.labels import label_faults
from jobs.emulator.vertex.listing import in_memory, page
from jobs.emulator.vertex.masks import masked
from jobs.emulator.vertex.names import ModelName, Names, Place, local_id
from jobs.emulator.vertex.operations import Operations
from jobs.emulator.vertex.registry import DEFAULT, Registry, Version
from jobs.emulator.vertex.validation import KeyFault
from jobs.emulator.wire import Answer, Request, Route

_FILTERS = {"display_name": "displayName", "displayName": "displayName", "model": "id"}
_SHOWN = "[a-z_][a-z0-9_-]{0,62}"
_ID = re.compile(_SHOWN)
_ALIAS = re.compile(r"-?[a-z][a-zA-Z0-9-]{0,126}[a-z0-9-]")
_OF_ONE_VERSION = frozenset(
    {"name", "versionId", "versionAliases", "createTime", "updateTime", "encryptionSpec"}
    | {"versionCreateTime", "versionUpdateTime"}
)
_UPDATABLE = frozenset(
    {"display_name", "description", "version_description", "labels", "default_checkpoint_id"}
)


class Models:
    def __init__(
        self,
        state: State,
        registry: Registry,
        deployment: Deployment,
        operations: Operations,
        names: Names,
        key_fault: KeyFault,
    ) -> None:
        self._state, self._registry, self._deployment = state, registry, deployment
        self._operations, self._names, self._key_fault = operations, names, key_fault

    def routes(self, root: str) -> list[Route]:
        models = f"/{root}/projects/{{project}}/locations/{{location}}/models"
        return [
            Route("POST", f"{models}:copy", self._copy),
            Route("GET", models, self._list),
            Route("GET", f"{models}/{{id}}:listVersions", self._list_versions),
            Route("GET", f"{models}/{{id}}:listCheckpoints", self._list_checkpoints),
            Route("POST", f"{models}/{{id}}:mergeVersionAliases", self._merge_aliases),
            Route("DELETE", f"{models}/{{id}}:deleteVersion", self._delete_version),
            Route("GET", f"{models}/{{id}}", self._get),
            Route("PATCH", f"{models}/{{id}}", self._update),
            Route("DELETE", f"{models}/{{id}}", self._delete),
        ]

    def _get(self, request: Request) -> Answer:
        return self._answers([self._registry.get(self._names.model(request))])[0]

    def _list(self, request: Request) -> Answer:
        versions = self._answers(self._registry.defaults(self._names.place(request)))
        return page(request, "models", in_memory(versions), _FILTERS)

    def _list_versions(self, request: Request) -> Answer:
        versions = self._answers(self._registry.versions(self._names.model(request)))
        source = in_memory(versions, "versionCreateTime")
        return page(request, "models", source, _FILTERS, "versionCreateTime")

    def _list_checkpoints(self, request: Request) -> Answer:
        return {"checkpoints": self._registry.get(self._names.model(request))["checkpoints"]}

    def _merge_aliases(self, request: Request) -> Answer:
        name = self._names.model(request)
        aliases = Fields(request.json()).texts("version_aliases")
        if name.version is None or not aliases:
            raise rpc_error(
                "INVALID_ARGUMENT", "An explicit version and at least one alias are required."
            )
        for alias in aliases:
            if not _ALIAS.fullmatch(alias):
                raise rpc_error("INVALID_ARGUMENT", f"Invalid version alias {alias!r}.")
        return self._answers([self._registry.point(name, aliases)])[0]

    def _update(self, request: Request) -> Answer:
        body = Fields(request.json(), "model")
        changed = masked(request, body, _UPDATABLE)

        def update(version: Version) -> None:
            for name in changed:
                _update_field(version, name, body)

        return self._answers([self._registry.change(self._names.model(request), update)])[0]

    def _delete(self, request: Request) -> Answer:
        name = self._names.model(request)
        with self._state.transaction():  # nobody deploys it meanwhile
            for version in self._registry.versions(name):
                self._refuse_deployed(name, version)
            unused = self._registry.delete(name)
        self._registry.remove(unused)
        return self._operations.done(name.place, _version(request), "DeleteModel")

    def _delete_version(self, request: Request) -> Answer:
        name = self._names.model(request)
        with self._state.transaction():
            version = self._registry.get(name)
            self._refuse_deployed(name, version)
            if name.version is None or DEFAULT in version["versionAliases"]:
                raise rpc_error(
                    "FAILED_PRECONDITION",
                    f"Version {version['versionId']} of {name} has the default alias; move the"
                    " alias to another version, or delete the model.",
                )
            unused = self._registry.delete_version(name)
        self._registry.remove(unused)
        return self._operations.done(name.place, _version(request), "DeleteModelVersion")

    def _copy(self, request: Request) -> Answer:
        body, place = Fields(request.json()), self._names.place(request)
        source = self._names.model_named(body.text("source_model"))
        _refuse_abroad(source, place)
        self._check_key(body, place)
        with self._state.transaction():  # of two copies with one id the second is refused
            version = self._registry.get(source)
            target = self._target(body, place)
            number = self._registry.add(
                target, _copied(version, body), self._registry.adapters(source, version)
            )
        response = {"model": str(target), "modelVersionId": number}
        return self._operations.done(place, _version(request), "CopyModel", response)

    def _target(self, body: Fields, place: Place) -> ModelName:
        """A new model, by the id that is asked for, or one that is there already."""
        if parent := body.text("parent_model"):
            target = self._names.model_named(parent)
            self._registry.get(target)
            return target
        id = body.text("model_id")
        if id and not _ID.fullmatch(id):
            raise rpc_error("INVALID_ARGUMENT", f"Invalid model_id {id!r}: it must match {_SHOWN}.")
        target = ModelName(place, id or local_id(self._operations.tick()))
        if self._registry.find(target):
            raise rpc_error("ALREADY_EXISTS", f"The Model already exists: {target}")
        return target

    def _refuse_deployed(self, name: ModelName, version: Version) -> None:
        where = self._deployment.deployed(name.place).get(f"{name}@{version['versionId']}")
        if where:
            endpoints = ", ".join(one["endpoint"] for one in where)
            raise rpc_error(
                "FAILED_PRECONDITION",
                f"Model {name}@{version['versionId']} is deployed to {endpoints};"
                " undeploy it first.",
            )

    def _answers(self, versions: list[Version]) -> list[Version]:
        """With where they are deployed; `versions` are of one location."""
        if not versions:
            return []
        deployed = self._deployment.deployed(self._names.model_named(versions[0]["name"]).place)
        found = [deployed.get(f"{one['name']}@{one['versionId']}") for one in versions]
        return [
            {**version, "deployedModels": where} if where else version
            for version, where in zip(versions, found, strict=True)
        ]

    def _check_key(self, body: Fields, place: Place) -> None:
        if "encryption_spec" in body:
            key = body.message("encryption_spec").text("kms_key_name")
            if error := self._key_fault(key, place.project):
                raise error


def _update_field(version: Version, name: str, body: Fields) -> None:
    if name == "labels":
        labels = body.text_map(name)
        if faults := label_faults(labels):
            raise rpc_error("INVALID_ARGUMENT", faults[0], violations={"model.labels": faults[0]})
        version["labels"] = labels
        return
    text = body.text(name)
    known = {one["checkpointId"] for one in version["checkpoints"]}
    if name == "default_checkpoint_id" and text not in known:
        raise rpc_error("INVALID_ARGUMENT", f"Checkpoint {text!r} does not exist.")
    first, *rest = name.split("_")
    version[first + "".join(word.capitalize() for word in rest)] = text


def _refuse_abroad(source: ModelName, place: Place) -> None:
    if source.place.project != place.project:
        raise rpc_error(
            "INVALID_ARGUMENT",
            f"The source Model {source} must be in the same Project as {place}.",
        )


def _copied(version: Version, body: Fields) -> Version:
    """With the key that is asked for: the source's is none of it."""
    kept = {name: value for name, value in version.items() if name not in _OF_ONE_VERSION}
    copied = {**kept, "modelSourceInfo": {**version["modelSourceInfo"], "copy": True}}
    if "encryption_spec" in body:
        key = body.message("encryption_spec").text("kms_key_name")
        copied["encryptionSpec"] = {"kmsKeyName": key}
    return copied


def _version(request: Request) -> str:
    return request.path.split("/")[1]
