"""Tuning: takes queued jobs one after the other and drives the trainer through each."""

import logging
import shutil
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from jobs.emulator.errors import ApiError
from jobs.emulator.trainer.base import Step, TrainerError, TuningCancelled, WorkerDied
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.dataset import DatasetError
from jobs.emulator.vertex.jobstore import JobStore
from jobs.emulator.vertex.metrics import Metrics
from jobs.emulator.vertex.preparation import Preparation, Prepared
from jobs.emulator.vertex.publication import Publication

log = logging.getLogger(__name__)

_ATTEMPTS = 2  # of a tuning whose worker process dies


class Tuning:
    """As many threads as jobs may run at once; `close` leaves a running job to the next start."""

    def __init__(
        self,
        jobs: JobStore,
        metrics: Metrics,
        preparation: Preparation,
        publication: Publication,
        trainer: TrainerClient,
        concurrent_jobs: int,
    ) -> None:
        self._jobs, self._metrics, self._trainer = jobs, metrics, trainer
        self._preparation, self._publication = preparation, publication
        self._queue = threading.Condition()
        self._closing = False
        self._concurrent_jobs = concurrent_jobs
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._jobs.resume()
        for number in range(1, self._concurrent_jobs + 1):
            thread = threading.Thread(target=self._work, name=f"tuning-{number}")
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """There may be a queued job."""
        with self._queue:
            self._queue.notify_all()

    def stop(self, name: str) -> None:
        """Ask the trainer to end a tuning; whether it still succeeds is a race."""
        self._trainer.cancel(name)

    def close(self) -> None:
        with self._queue:
            self._closing = True
            self._queue.notify_all()
        self._trainer.close()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._tune(job)

    def _next(self) -> dict[str, Any] | None:
        with self._queue:
            while not self._closing:
                if job := self._jobs.claim():
                    return job
                self._queue.wait()
        return None

    def _tune(self, job: dict[str, Any]) -> None:
        name = job["name"]
        try:
            self._persist(job)
        except TuningCancelled:
            self._jobs.cancelled(name)
        except DatasetError as error:
            self._jobs.fail(name, enums.RPC_INVALID_ARGUMENT, str(error))
        except ApiError as error:  # what it continues is gone
            self._jobs.fail(name, enums.RPC_FAILED_PRECONDITION, error.message)
        except WorkerDied as error:
            if not self._closing:
                self._jobs.fail(name, enums.RPC_INTERNAL, str(error))
        except TrainerError as error:
            self._jobs.fail(name, enums.RPC_INTERNAL, str(error))
        except Exception as error:
            log.exception("%s failed", name)
            self._jobs.fail(name, enums.RPC_INTERNAL, f"The emulator failed: {error!r}")

    def _persist(self, job: dict[str, Any]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._drive(job)
            except WorkerDied:
                if self._closing or attempt == _ATTEMPTS:
                    raise
                log.warning("%s: the trainer's worker died, tuning again", job["name"])

    def _drive(self, job: dict[str, Any]) -> None:
        name = job["name"]
        prepared = self._preparation.prepare(job)
        if not self._jobs.begin(name, prepared.spec, prepared.stats):
            raise TuningCancelled
        folder = self._publication.folder(name)
        shutil.rmtree(folder, ignore_errors=True)
        self._metrics.forget(name)
        self._train(name, prepared, folder).result()
        self._jobs.change(name, _post_process)
        self._publication.publish(self._jobs.get(name) or job, self._metrics.steps(name))

    def _train(self, name: str, prepared: Prepared, folder: Path) -> Future[None]:
        future = self._trainer.tune(
            name,
            prepared.training,
            prepared.validation,
            prepared.settings,
            folder,
            lambda step: self._record(name, step),
        )
        # A cancel that came before the trainer knew the job went unheard.
        job = self._jobs.get(name)
        if job and job["state"] == enums.CANCELLING:
            self._trainer.cancel(name)
        return future

    def _record(self, name: str, step: Step) -> None:
        self._metrics.record(name, step)
        self._jobs.progress(name, step)


def _post_process(job: dict[str, Any]) -> None:
    job["tuningJobState"] = enums.POST_PROCESSING
