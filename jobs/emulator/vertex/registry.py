"""The model registry on record: models, numbered versions, aliases, and where adapters lie."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.state import State
from jobs.emulator.vertex.names import ModelName, Place
from jobs.emulator.vertex.times import timestamp

Version = dict[str, Any]
Adapters = dict[str, dict[str, str]]  # by checkpoint: its folder in the state's, and its trainer
DEFAULT = "default"


class Registry:
    """A document a model: its versions by number, each the Model message of the wire."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._models = state.documents("models")
        self._adapters = state.documents("adapters")

    def add(self, name: ModelName, version: Version, adapters: Adapters) -> str:
        """A new model's first version, or the next of an old one; its number."""
        with self._state.transaction():
            model = self._models.get(str(name)) or self._new(name)
            number = str(model["next"])
            model["next"] += 1
            stamp = self._now()
            model["versions"][number] = {
                "name": str(name),
                "versionId": number,
                "versionAliases": [] if model["versions"] else [DEFAULT],
                "createTime": model["createTime"],
                "updateTime": stamp,
                "versionCreateTime": stamp,
                "versionUpdateTime": stamp,
                **version,
            }
            self._models.put(str(name), model)
            for checkpoint, adapter in adapters.items():
                self._adapters.put(_adapter_key(name, number, checkpoint), adapter)
        return number

    def get(self, name: ModelName) -> Version:
        """By number or alias; without either, the default version."""
        if found := self.find(name):
            return found
        raise _missing(f"{name}@{name.version}" if name.version else str(name))

    def find(self, name: ModelName) -> Version | None:
        model = self._models.get(str(name))
        return _find(model["versions"], name.version or DEFAULT) if model else None

    def versions(self, name: ModelName) -> list[Version]:
        model = self._models.get(str(name))
        if model is None:
            raise _missing(str(name))
        return list(model["versions"].values())

    def defaults(self, place: Place) -> list[Version]:
        """The default version of every model of a location."""
        found = (
            _find(model["versions"], DEFAULT) for model in self._models.list(f"{place}/models/")
        )
        return [version for version in found if version]

    def change(self, name: ModelName, change: Callable[[Version], None]) -> Version:
        """Apply `change` to one version as it stands now."""
        with self._state.transaction():
            version = self.get(name)
            model = self._models.get(str(name)) or {}
            change(version)
            version["updateTime"] = version["versionUpdateTime"] = self._now()
            model["versions"][version["versionId"]] = version
            self._models.put(str(name), model)
        return version

    def point(self, name: ModelName, aliases: list[str]) -> Version:
        """Give a version aliases, taking them from the others; `-alias` takes one away."""
        with self._state.transaction():
            target = self.get(name)
            model = self._models.get(str(name)) or {}
            for version in model["versions"].values():
                change = _gain if version["versionId"] == target["versionId"] else _lose
                version["versionAliases"] = change(version["versionAliases"], aliases)
            if not _find(model["versions"], DEFAULT):
                raise rpc_error(
                    "INVALID_ARGUMENT", "The default alias can be moved but not removed."
                )
            self._models.put(str(name), model)
            return dict(model["versions"][target["versionId"]])

    def delete(self, name: ModelName) -> set[str]:
        """Folders of adapters that nobody uses now: to `remove` once that is on record."""
        with self._state.transaction():
            self._models.delete(str(name))
            return self._forget(f"{name}@")

    def delete_version(self, name: ModelName) -> set[str]:
        with self._state.transaction():
            number = self.get(name)["versionId"]
            model = self._models.get(str(name)) or {}
            del model["versions"][number]
            self._models.put(str(name), model)
            return self._forget(f"{name}@{number}/")

    def remove(self, folders: set[str]) -> None:
        for folder in folders:
            shutil.rmtree(self._state.folder / folder, ignore_errors=True)

    def adapter(self, name: ModelName, checkpoint: str, trainer: str) -> Path:
        """The folder of a version's checkpoint; only the trainer that wrote it can read it."""
        found = self._adapters.get(_adapter_key(name, str(name.version), checkpoint))
        if found is None:
            raise _missing(f"{name}@{name.version}, checkpoint {checkpoint}")
        if found["trainer"] != trainer:
            raise rpc_error(
                "FAILED_PRECONDITION",
                f"{name}@{name.version} was tuned by {found['trainer']}, but this emulator runs"
                f" {trainer}.",
            )
        return self._state.folder / str(found["folder"])

    def adapters(self, name: ModelName, version: Version) -> Adapters:
        """Of every checkpoint, as `add` takes them."""
        ids = [checkpoint["checkpointId"] for checkpoint in version["checkpoints"]]
        keys = {id: _adapter_key(name, version["versionId"], id) for id in ids}
        found = {id: self._adapters.get(key) for id, key in keys.items()}
        return {id: adapter for id, adapter in found.items() if adapter}

    def _new(self, name: ModelName) -> dict[str, Any]:
        return {"name": str(name), "createTime": self._now(), "next": 1, "versions": {}}

    def _forget(self, prefix: str) -> set[str]:
        with self._state.transaction() as database:
            forgotten = {str(adapter["folder"]) for adapter in self._adapters.list(prefix)}
            database.execute(
                "DELETE FROM documents WHERE kind = 'adapters' AND substr(name, 1, ?) = ?",
                (len(prefix), prefix),
            )
            # A copy has the folders of what it was copied from.
            return forgotten - {str(adapter["folder"]) for adapter in self._adapters.list()}

    def _now(self) -> str:
        return timestamp(self._state.microsecond())


def _find(versions: dict[str, Version], wanted: str) -> Version | None:
    if wanted in versions:
        return versions[wanted]
    return next((one for one in versions.values() if wanted in one["versionAliases"]), None)


def _gain(present: list[str], changes: list[str]) -> list[str]:
    kept = [alias for alias in present if f"-{alias}" not in changes]
    added = [alias for alias in changes if not alias.startswith("-") and alias not in kept]
    return kept + added


def _lose(present: list[str], changes: list[str]) -> list[str]:
    """An alias points at one version: what another gains, this one loses."""
    return [alias for alias in present if alias not in changes]


def _adapter_key(name: ModelName, number: str, checkpoint: str) -> str:
    return f"{name}@{number}/{checkpoint}"


def _missing(what: str) -> ApiError:
    return rpc_error("NOT_FOUND", f"The Model does not exist: {what}")
