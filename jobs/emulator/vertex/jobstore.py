"""The tuning jobs on record: every change of state in one transaction, durable when it returns."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from jobs.emulator.errors import rpc_error
from jobs.emulator.state import State
from jobs.emulator.trainer.base import Step
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.listing import Source
from jobs.emulator.vertex.times import timestamp

Job = dict[str, Any]
_UNFINISHED = (enums.QUEUED, enums.PENDING, enums.RUNNING, enums.CANCELLING)


_SCHEMA = """
CREATE TABLE IF NOT EXISTS tuning_jobs (
    name TEXT PRIMARY KEY, parent TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tuning_jobs_by_parent ON tuning_jobs (parent, name);
CREATE INDEX IF NOT EXISTS tuning_jobs_by_state ON tuning_jobs (state, created, name);
"""
_CHUNK = 100
# The metric's own name is not published; the words are those of other quotas.
_EXCEEDED = (
    "The following quota metrics exceed quota limits:"
    " aiplatform.googleapis.com/global_concurrent_tuning_jobs"
)


class JobStore:
    """A table of its own: a queue and pages of thousands of jobs, without reading them all.

    A project may have `quota` unfinished jobs; without one, those beyond what runs at once wait.
    """

    def __init__(self, state: State, quota: int | None = None) -> None:
        self._state, self._quota = state, quota
        state.define(_SCHEMA)

    def get(self, name: str) -> Job | None:
        found = self._select("name = ?", name)
        return found[0] if found else None

    def of(self, parent: str) -> Source:
        """Jobs of a location; their ids sort by the time they were made."""

        def source(mark: str, oldest_first: bool) -> Iterator[Job]:
            last = mark.rpartition(" ")[2]
            beyond, order = (">", "ASC") if oldest_first else ("<", "DESC")
            where = f"parent = ? AND (? = '' OR name {beyond} ?) ORDER BY name {order} LIMIT ?"
            while found := self._select(where, parent, last, last, _CHUNK):
                yield from found
                last = found[-1]["name"]

        return source

    def add(self, name: str, inputs: Job, microsecond: int) -> Job:
        with self._state.transaction():
            self._check_quota(name)
            stamp = timestamp(microsecond)
            job = {"name": name, **inputs, "state": enums.QUEUED}
            job |= {"createTime": stamp, "updateTime": stamp}
            if self._in(*_UNFINISHED, limit=1):
                job["tuningJobState"] = enums.WAITING_FOR_QUOTA
            self._write(job)
        return job

    def claim(self) -> Job | None:
        """The oldest queued job, now pending; nobody else gets it."""
        with self._state.transaction():
            if not (queued := self._in(enums.QUEUED, limit=1)):
                return None
            (job,) = queued
            job |= {"state": enums.PENDING, "tuningJobState": enums.PROCESSING_DATASET}
            return self._put(job)

    def change(self, name: str, change: Callable[[Job], None]) -> Job:
        """Apply `change` to the job as it stands now."""
        with self._state.transaction():
            job = self.get(name)
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
            for job in self._in(enums.CANCELLING):
                self.cancelled(job["name"])
            for job in self._in(enums.PENDING, enums.RUNNING):
                self.change(job["name"], _queue)

    def _check_quota(self, name: str) -> None:
        """In all of a project's locations together."""
        if self._quota is None:
            return
        project = name.partition("/locations/")[0] + "/"
        unfinished = [job for job in self._in(*_UNFINISHED) if job["name"].startswith(project)]
        if len(unfinished) >= self._quota:
            raise rpc_error("RESOURCE_EXHAUSTED", _EXCEEDED)

    def _end(self, job: Job, state: str) -> None:
        job["state"] = state
        job["endTime"] = self._now()
        job.pop("tuningJobState", None)

    def _put(self, job: Job) -> Job:
        job["updateTime"] = self._now()
        self._write(job)
        return job

    def _write(self, job: Job) -> None:
        parent = job["name"].partition("/tuningJobs/")[0]
        row = (job["name"], parent, job["state"], job["createTime"], json.dumps(job))
        with self._state.transaction() as database:
            database.execute("INSERT OR REPLACE INTO tuning_jobs VALUES (?, ?, ?, ?, ?)", row)

    def _in(self, *states: str, limit: int = -1) -> list[Job]:
        """Jobs in one of these states, the oldest first, whatever their location."""
        holes = ", ".join("?" * len(states))
        where = f"state IN ({holes}) ORDER BY created, name LIMIT ?"
        return self._select(where, *states, limit)

    def _select(self, where: str, *values: str | int) -> list[Job]:
        with self._state.transaction() as database:
            rows = database.execute(f"SELECT body FROM tuning_jobs WHERE {where}", values)
            return [json.loads(body) for (body,) in rows]

    def _now(self) -> str:
        return timestamp(self._state.microsecond())


def _queue(job: Job) -> None:
    job["state"] = enums.QUEUED
    for stale in ("tuningJobState", "tuningJobMetadata"):
        job.pop(stale, None)


def _progress(epochs: int, steps: int) -> Job:
    return {"completedEpochCount": str(epochs), "completedStepCount": str(steps)}
