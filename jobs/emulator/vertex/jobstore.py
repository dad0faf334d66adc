"""The tuning jobs on record: every change of state in one transaction, durable when it returns."""

from collections.abc import Callable
from typing import Any

from jobs.emulator.state import State
from jobs.emulator.trainer.base import Step
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.times import timestamp

Job = dict[str, Any]


class JobStore:
    def __init__(self, state: State) -> None:
        self._state = state
        self._documents = state.documents("tuningJobs")

    def get(self, name: str) -> Job | None:
        return self._documents.get(name)

    def list(self, parent: str = "") -> list[Job]:
        return self._documents.list(f"{parent}/tuningJobs/" if parent else "")

    def add(self, name: str, inputs: Job, microsecond: int) -> Job:
        with self._state.transaction():
            stamp = timestamp(microsecond)
            job = {"name": name, **inputs, "state": enums.QUEUED}
            job |= {"createTime": stamp, "updateTime": stamp}
            if any(other["state"] not in enums.FINISHED for other in self.list()):
                job["tuningJobState"] = enums.WAITING_FOR_QUOTA
            self._documents.put(name, job)
        return job

    def claim(self) -> Job | None:
        """The oldest queued job, now pending; nobody else gets it."""
        with self._state.transaction():
            queued = [job for job in self.list() if job["state"] == enums.QUEUED]
            if not queued:
                return None
            job = min(queued, key=lambda job: (job["createTime"], job["name"]))
            job |= {"state": enums.PENDING, "tuningJobState": enums.PROCESSING_DATASET}
            return self._put(job)

    def change(self, name: str, change: Callable[[Job], None]) -> Job:
        """Apply `change` to the job as it stands now."""
        with self._state.transaction():
            job = self._documents.get(name)
            if job is None:
                raise KeyError(name)
            change(job)
            return self._put(job)

    def begin(self, name: str, spec: Job, stats: Job) -> bool:
        """The job runs now; false if it was cancelled before."""

        def run(job: Job) -> None:
            job["supervisedTuningSpec"] = spec
            job["tuningDataStats"] = stats
            if job["state"] != enums.CANCELLING:
                job |= {"state": enums.RUNNING, "tuningJobState": enums.TUNING}
                job.setdefault("startTime", self._now())
                job["tuningJobMetadata"] = _progress(0, 0)

        return bool(self.change(name, run)["state"] == enums.RUNNING)

    def progress(self, name: str, step: Step) -> None:
        def advance(job: Job) -> None:
            epochs = int(job["supervisedTuningSpec"]["hyperParameters"]["epochCount"])
            job["tuningJobMetadata"] = _progress(step.step * epochs // step.steps, step.step)
            stats = job["tuningDataStats"]["supervisedTuningDataStats"]
            stats["tuningStepCount"] = str(step.steps)

        self.change(name, advance)

    def succeed(self, name: str, tuned_model: Job) -> None:
        def finish(job: Job) -> None:
            job["tunedModel"] = tuned_model
            self._end(job, enums.SUCCEEDED)

        self.change(name, finish)

    def fail(self, name: str, code: int, message: str) -> None:
        def finish(job: Job) -> None:
            job["error"] = {"code": code, "message": message}
            self._end(job, enums.FAILED)

        self.change(name, finish)

    def cancelled(self, name: str) -> None:
        def finish(job: Job) -> None:
            job["error"] = {"code": enums.RPC_CANCELLED, "message": "The tuning job was cancelled."}
            self._end(job, enums.CANCELLED)

        self.change(name, finish)

    def resume(self) -> None:
        """After a restart: what was under way is queued again, what was being cancelled is."""
        with self._state.transaction():
            for job in self.list():
                if job["state"] == enums.CANCELLING:
                    self.cancelled(job["name"])
                elif job["state"] in (enums.PENDING, enums.RUNNING):
                    self.change(job["name"], _queue)

    def _end(self, job: Job, state: str) -> None:
        job["state"] = state
        job["endTime"] = self._now()
        job.pop("tuningJobState", None)

    def _put(self, job: Job) -> Job:
        job["updateTime"] = self._now()
        self._documents.put(job["name"], job)
        return job

    def _now(self) -> str:
        return timestamp(self._state.microsecond())


def _queue(job: Job) -> None:
    job["state"] = enums.QUEUED
    for stale in ("tuningJobState", "tuningJobMetadata"):
        job.pop(stale, None)


def _progress(epochs: int, steps: int) -> Job:
    return {"completedEpochCount": str(epochs), "completedStepCount": str(steps)}
