"""Tuning jobs on the wire: create, get, list, cancel, and the metrics of their steps."""

from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.state import State
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex import enums
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.jobstore import Job, JobStore
from jobs.emulator.vertex.labels import STAND_IN, label_value
from jobs.emulator.vertex.listing import page
from jobs.emulator.vertex.metrics import Metrics
from jobs.emulator.vertex.names import Names, local_id
from jobs.emulator.vertex.tuning import Tuning
from jobs.emulator.vertex.validation import Validation
from jobs.emulator.wire import Answer, Request, Route

_FILTERS = {
    "state": "state",
    "tuned_model_display_name": "tunedModelDisplayName",
    "tunedModelDisplayName": "tunedModelDisplayName",
    "displayName": "tunedModelDisplayName",
    "display_name": "tunedModelDisplayName",
}


class TuningJobs:
    def __init__(
        self,
        state: State,
        jobs: JobStore,
        metrics: Metrics,
        validation: Validation,
        tuning: Tuning,
        trainer: TrainerClient,
        names: Names,
    ) -> None:
        self._state, self._jobs, self._metrics = state, jobs, metrics
        self._validation, self._tuning, self._names = validation, tuning, names
        self._stand_in = label_value(trainer.name)

    def routes(self, root: str) -> list[Route]:
        jobs = f"/{root}/projects/{{project}}/locations/{{location}}/tuningJobs"
        return [
            Route("POST", jobs, self._create),
            Route("GET", jobs, self._list),
            Route("POST", f"{jobs}/{{id}}:cancel", self._cancel),
            Route("GET", f"{jobs}/{{id}}", self._get),
        ]

    def own_routes(self) -> list[Route]:
        jobs = "/emulator/v1/projects/{project}/locations/{location}/tuningJobs"
        return [Route("GET", f"{jobs}/{{id}}:metrics", self._read_metrics)]

    def _create(self, request: Request) -> Answer:
        place, beta = self._names.place(request), request.path.startswith("/v1beta1/")
        inputs = self._validation.job(Fields(request.json(), "tuning_job"), place, beta)
        inputs["labels"] = {**inputs["labels"], STAND_IN: self._stand_in}
        microsecond = self._state.microsecond()
        job = self._jobs.add(place.name("tuningJobs", local_id(microsecond)), inputs, microsecond)
        self._tuning.wake()
        return job

    def _get(self, request: Request) -> Answer:
        return self._find(request)

    def _list(self, request: Request) -> Answer:
        jobs = self._jobs.of(str(self._names.place(request)))
        return page(request, "tuningJobs", jobs, _FILTERS)

    def _cancel(self, request: Request) -> Answer:
        name = self._find(request)["name"]
        before = ""

        def cancel(job: Job) -> None:
            nonlocal before
            before = job["state"]
            if before in enums.FINISHED:
                raise _over(job)
            job["state"] = enums.CANCELLING

        with self._state.transaction():
            self._jobs.change(name, cancel)
            if before == enums.QUEUED:
                self._jobs.cancelled(name)
        self._tuning.stop(name)
        return {}

    def _read_metrics(self, request: Request) -> Answer:
        after = request.first("after") or "0"
        if not after.isdecimal():
            raise rpc_error("INVALID_ARGUMENT", f"Invalid step {after!r}.")
        return {"steps": self._metrics.steps(self._find(request)["name"], int(after))}

    def _find(self, request: Request) -> Job:
        name = self._names.resource(request, "tuningJobs")
        if job := self._jobs.get(name):
            return job
        raise rpc_error("NOT_FOUND", f"TuningJob {name} not found.")


def _over(job: Job) -> ApiError:
    return rpc_error(
        "FAILED_PRECONDITION", f"TuningJob {job['name']} is {job['state']} and cannot be cancelled."
    )
