"""Publication: makes a finished tuning a version in the registry, deployed where it is served."""

from pathlib import Path
from typing import Any

from jobs.emulator.state import State
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import Catalog
from jobs.emulator.vertex.continuation import Continuation, base_model
from jobs.emulator.vertex.deployment import Deployment
from jobs.emulator.vertex.jobstore import JobStore
from jobs.emulator.vertex.labels import STAND_IN, TUNE_TYPE, label_value
from jobs.emulator.vertex.names import ModelName, Place, local_id
from jobs.emulator.vertex.registry import Adapters, Registry

_FOLDER = "tuned"


class Publication:
    def __init__(
        self,
        state: State,
        catalog: Catalog,
        trainer: TrainerClient,
        jobs: JobStore,
        registry: Registry,
        deployment: Deployment,
        continuation: Continuation,
    ) -> None:
        self._state, self._catalog, self._trainer = state, catalog, trainer
        self._jobs, self._registry, self._deployment = jobs, registry, deployment
        self._continuation = continuation

    def folder(self, job: str) -> Path:
        """Where the trainer writes a job's checkpoints."""
        return self._state.folder / _FOLDER / job.rpartition("/")[2]

    def publish(self, job: dict[str, Any], steps: list[dict[str, Any]]) -> None:
        """All of it or nothing: nobody sees a model of a job that has not succeeded."""
        spec = job["supervisedTuningSpec"]
        last_only = spec.get("exportLastCheckpointOnly", False)
        checkpoints = [_checkpoint(step) for step in steps if "checkpointId" in step]
        exported = checkpoints[-1:] if last_only else checkpoints
        with self._state.transaction():
            name = self._model_name(job)
            number = self._registry.add(
                name, self._version(job, exported), self._adapters(job, exported)
            )
            version = ModelName(name.place, name.id, number)
            served = [{**one, "endpoint": self._deploy(job, version, one)} for one in exported]
            tuned: dict[str, Any] = {
                "model": f"{name}@{number}",
                "endpoint": served[-1]["endpoint"],
            }
            if not last_only:
                tuned["checkpoints"] = served
            self._jobs.succeed(job["name"], tuned)

    def _model_name(self, job: dict[str, Any]) -> ModelName:
        if parent := self._continuation.parent(job):
            return parent
        _, project, _, region = job["name"].split("/")[:4]
        location = self._catalog.models[base_model(job)].serving[region]
        return ModelName(Place(project, location), local_id(self._state.microsecond()))

    def _version(self, job: dict[str, Any], checkpoints: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "displayName": display_name(job),
            "description": self._trainer.description,
            "labels": {
                **job["labels"],
                TUNE_TYPE: "supervised",
                STAND_IN: label_value(self._trainer.name),
            },
            **({"encryptionSpec": job["encryptionSpec"]} if "encryptionSpec" in job else {}),
            "modelSourceInfo": {"sourceType": "GENIE"},
            "baseModelSource": {
                "genieSource": {"baseModelUri": f"publishers/google/models/{base_model(job)}"}
            },
            "checkpoints": checkpoints,
            "defaultCheckpointId": checkpoints[-1]["checkpointId"],
        }

    def _adapters(self, job: dict[str, Any], checkpoints: list[dict[str, str]]) -> Adapters:
        folder = self.folder(job["name"]).relative_to(self._state.folder)
        size = job["supervisedTuningSpec"]["hyperParameters"]["adapterSize"]
        about = {"trainer": self._trainer.name, "adapterSize": size}
        ids = [one["checkpointId"] for one in checkpoints]
        return {id: {"folder": str(folder / id), **about} for id in ids}

    def _deploy(self, job: dict[str, Any], version: ModelName, checkpoint: dict[str, str]) -> str:
        endpoint = self._deployment.create(
            version.place, {"displayName": display_name(job), "labels": job["labels"]}
        )
        self._deployment.deploy(
            endpoint["name"], version, checkpoint["checkpointId"], display_name(job)
        )
        return str(endpoint["name"])


def display_name(job: dict[str, Any]) -> str:
    return str(job.get("tunedModelDisplayName") or job["name"].rpartition("/")[2])


def _checkpoint(step: dict[str, Any]) -> dict[str, str]:
    return {
        "checkpointId": step["checkpointId"],
        "epoch": str(step["epoch"]),
        "step": str(step["step"]),
    }
