"""Vertex: the routes of Vertex AI over one state, one trainer and the emulator's own storage."""

from collections.abc import Mapping

from jobs.emulator.state import State
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import Catalog, load_catalog
from jobs.emulator.vertex.continuation import Continuation
from jobs.emulator.vertex.deployment import Deployment
from jobs.emulator.vertex.endpoints import Endpoints
from jobs.emulator.vertex.files import Files, OpenObject
from jobs.emulator.vertex.generate import Generate
from jobs.emulator.vertex.jobs import TuningJobs
from jobs.emulator.vertex.jobstore import JobStore
from jobs.emulator.vertex.metrics import Metrics
from jobs.emulator.vertex.models import Models
from jobs.emulator.vertex.names import Names
from jobs.emulator.vertex.operations import Operations
from jobs.emulator.vertex.preparation import Preparation
from jobs.emulator.vertex.publication import Publication
from jobs.emulator.vertex.publishers import Publishers
from jobs.emulator.vertex.registry import Registry
from jobs.emulator.vertex.tuning import Tuning
from jobs.emulator.vertex.validation import KeyFault, Validation, no_fault
from jobs.emulator.wire import Route


class Vertex:
    """Tunes from `start` to `close`; a job that `close` or a crash cut off starts again."""

    def __init__(
        self,
        state: State,
        trainer: TrainerClient,
        open_object: OpenObject,
        numbers: Mapping[str, str],
        concurrent_jobs: int = 1,
        quota: int | None = None,
        catalog: Catalog | None = None,
        key_fault: KeyFault = no_fault,
    ) -> None:
        catalog, names = catalog or load_catalog(), Names(numbers)
        jobs, metrics = JobStore(state, quota), Metrics(state)
        registry, deployment = Registry(state), Deployment(state)
        continuation = Continuation(registry, names, trainer.name)
        self._operations = Operations(state, names)
        self._tuning = Tuning(
            jobs,
            metrics,
            Preparation(catalog, trainer, open_object, continuation),
            Publication(state, catalog, trainer, jobs, registry, deployment, continuation),
            trainer,
            concurrent_jobs,
        )
        validation = Validation(catalog, open_object, continuation, key_fault)
        self._jobs = TuningJobs(state, jobs, metrics, validation, self._tuning, trainer, names)
        self._rooms = (
            self._jobs,
            Models(state, registry, deployment, self._operations, names, key_fault),
            Endpoints(state, deployment, registry, self._operations, names),
            Generate(state, catalog, trainer, registry, deployment, names, Files(open_object)),
            Publishers(catalog),
        )

    def routes(self) -> list[Route]:
        routes = [*self._jobs.own_routes(), *self._operations.routes()]
        for root in ("v1", "v1beta1"):
            for room in self._rooms:
                routes += room.routes(root)
        return routes

    def start(self) -> None:
        self._tuning.start()

    def close(self) -> None:
        self._tuning.close()
