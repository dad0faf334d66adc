"""Vertex: tuning jobs and predictions of one project, through Google's own client."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jobs.runner import client, remote
from jobs.runner.errors import JobMissing, VertuneError

if TYPE_CHECKING:  # the import costs more than a second
    from google import genai
    from google.genai import types

_ACTING = 30.0  # seconds
_THINKING = 60.0  # a long answer takes its time
_PAGE = 100

# PAUSED can go on; the rest never changes again. The service's clients each list other ones.
_FINISHED = {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED"}

STAND_IN_LABEL = "local-stand-in"  # set by the emulator only


@dataclass(frozen=True)
class Order:
    """What a tuning job is created from; what is None is left to the service."""

    name: str  # the tuned model's display name
    base_model: str  # or the resource name of a tuned model to go on from
    train_uri: str
    validation_uri: str | None
    epochs: int | None
    learning_rate_multiplier: float | None
    adapter_size: int | None
    labels: Mapping[str, str]
    kms_key: str | None = None
    pre_tuned_model: str | None = None  # as the service names it; to order, `base_model` has it


@dataclass(frozen=True)
class Job:
    """What Vertex says of a tuning job now."""

    name: str
    state: str  # without its prefix: QUEUED, PENDING, RUNNING, SUCCEEDED, …
    detail: str | None
    labels: Mapping[str, str]
    step: int | None = None
    steps: int | None = None
    epoch: int | None = None
    error: str | None = None
    tuned_model: str | None = None
    endpoint: str | None = None
    checkpoints: tuple[Mapping[str, Any], ...] = ()
    statistics: Mapping[str, Any] = field(default_factory=dict)
    order: Order | None = None  # what it was created from
    created: str | None = None
    started: str | None = None
    finished: str | None = None

    @property
    def done(self) -> bool:
        return self.state in _FINISHED

    @property
    def succeeded(self) -> bool:
        return self.state == "SUCCEEDED"

    @property
    def billed_tokens(self) -> int | None:
        return _integer(self.statistics.get("total_billable_token_count"))


@dataclass(frozen=True)
class Answer:
    """A prediction: its text, and the model that the service says gave it."""

    text: str
    model_version: str | None


class Vertex:
    """The service in one location; `endpoint` None is Google Cloud, whatever else is set."""

    def __init__(self, project: str, location: str, endpoint: str | None) -> None:
        self._project, self._location, self._endpoint = project, location, endpoint
        self._client = client.opened(project, location, endpoint)
        self._elsewhere: dict[str, Vertex] = {}

    def at(self, location: str) -> Vertex:
        """The service there; each location has an address of its own."""
        if location == self._location:
            return self
        if location not in self._elsewhere:
            self._elsewhere[location] = Vertex(self._project, location, self._endpoint)
        return self._elsewhere[location]

    def _of(self, name: str) -> genai.Client:
        """The client for the location that a resource's name tells."""
        return self.at(location_of(name))._client

    def submit(self, order: Order, seconds: float | None = None) -> Job:
        """Create a tuning job, waiting that long for the answer.

        Never repeated here: the service would create a second one.
        """
        from google.genai import types

        config = types.CreateTuningJobConfig(
            tuned_model_display_name=order.name,
            epoch_count=order.epochs,
            learning_rate_multiplier=order.learning_rate_multiplier,
            adapter_size=_adapter_size(order.adapter_size),
            labels=dict(order.labels),
            encryption_spec=(
                types.EncryptionSpec(kms_key_name=order.kms_key) if order.kms_key else None
            ),
            validation_dataset=(
                types.TuningValidationDataset(gcs_uri=order.validation_uri)
                if order.validation_uri
                else None
            ),
            http_options=_within(seconds or remote.patient(_ACTING)),
        )
        with (
            client.doing(f"submitting the tuning job of {order.name}", self._endpoint),
            client.tunings(),
        ):
            created = self._client.tunings.tune(
                base_model=order.base_model,
                training_dataset=types.TuningDataset(gcs_uri=order.train_uri),
                config=config,
            )
            return _job(created)

    def job(self, name: str) -> Job:
        """Raises JobMissing if the service has no such job."""
        from google.genai import types

        config = types.GetTuningJobConfig(http_options=_within(remote.timeout()))

        def get() -> Job:
            return _job(self._of(name).tunings.get(name=name, config=config))

        with client.doing(f"reading {name}", self._endpoint), client.tunings():
            try:
                return client.repeated(get, self._endpoint)
            except Exception as error:
                if getattr(error, "code", None) == 404:
                    raise JobMissing(f"{name} is gone; Vertex AI has no such job") from error
                raise

    def jobs(self, labels: Mapping[str, str]) -> list[Job]:
        """The jobs that carry these labels, newest first as the service lists them.

        Matched here: the service's filter on labels is not documented for tuning jobs.
        """
        return [job for job in self._listed(whole=True) if labels.items() <= job.labels.items()]

    def under_way(self) -> list[Job]:
        """Unfinished jobs among the newest of the project, whoever started them."""
        return [job for job in self._listed(whole=False) if not job.done]

    def _listed(self, whole: bool) -> list[Job]:
        from google.genai import types

        config = types.ListTuningJobsConfig(page_size=_PAGE, http_options=_within(remote.timeout()))

        def found() -> list[Job]:
            listed = self._client.tunings.list(config=config)
            return [_job(job) for job in (listed if whole else listed.page)]

        with client.doing("listing tuning jobs", self._endpoint), client.tunings():
            return client.repeated(found, self._endpoint)

    def has(self, tuned_model: str) -> bool:
        """Whether the registry still holds a tuned model."""
        serving = self.at(location_of(tuned_model))
        with client.doing(f"reading {tuned_model}", self._endpoint):
            return client.repeated(
                lambda: _there(lambda: serving._model(tuned_model)), self._endpoint
            )

    def _model(self, name: str) -> types.Model:
        from google.genai import types

        config = types.GetModelConfig(http_options=_within(remote.timeout()))
        return self._client.models.get(model=name, config=config)

    def cancel(self, name: str) -> None:
        from google.genai import types

        config = types.CancelTuningJobConfig(http_options=_within(remote.patient(_ACTING)))
        with client.doing(f"cancelling {name}", self._endpoint), client.tunings():
            self._of(name).tunings.cancel(name=name, config=config)

    def generate(self, model: str, prompt: str, system: str | None, max_tokens: int) -> Answer:
        """The most likely answer of a base model's name or a tuned model's endpoint."""
        from google.genai import types

        config = types.GenerateContentConfig(
            system_instruction=system,
            temperature=0.0,
            max_output_tokens=max_tokens,
            # Tuned models are to think as little as they can, else thoughts use up the answer.
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL),
            http_options=_within(remote.patient(_THINKING)),
        )

        def ask() -> Answer:
            answer = self._client.models.generate_content(
                model=model, contents=prompt, config=config
            )
            return Answer((answer.text or "").strip(), answer.model_version)

        with client.doing(f"asking {model}", self._endpoint):
            return client.repeated(ask, self._endpoint)

    def base_models(self) -> set[str]:
        """The names of all base models of Google's that the API lists."""
        from google.genai import types

        config = types.ListModelsConfig(
            query_base=True, page_size=_PAGE, http_options=_within(remote.timeout())
        )

        def found() -> set[str]:
            listed = self._client.models.list(config=config)
            return {(model.name or "").rpartition("/")[2] for model in listed}

        with client.doing("listing base models", self._endpoint):
            return client.repeated(found, self._endpoint)

    def count_tokens(
        self, base_model: str, contents: Sequence[Mapping[str, Any]], tools: Any = None
    ) -> int:
        """Of turns as they stand in examples; they need not be one conversation."""
        from google.genai import types

        options = _within(remote.patient(_THINKING))
        if tools is not None:  # as they stand: the client would refuse what it does not know
            options.extra_body = {"tools": tools}
        config = types.CountTokensConfig(http_options=options)
        turns = [types.Content.model_validate(content) for content in contents]

        def ask() -> int:
            answer = self._client.models.count_tokens(
                model=base_model, contents=list(turns), config=config
            )
            return answer.total_tokens or 0

        with client.doing(f"counting tokens for {base_model}", self._endpoint):
            return client.repeated(ask, self._endpoint)


def _there(get: Callable[[], object]) -> bool:
    from google.genai.errors import APIError

    try:
        get()
    except APIError as error:
        if error.code != 404:
            raise
        return False
    return True


def _within(seconds: float) -> types.HttpOptions:
    from google.genai import types

    return types.HttpOptions(timeout=max(1, round(seconds * 1000)))


def location_of(name: str) -> str:
    """The location in a resource name; an endpoint is served only there."""
    found = re.search(r"/locations/([^/]+)/", name)
    if not found:
        raise VertuneError(f"{name} names no location")
    return found[1]


# By name: the integers of the client's enum are no sizes, 4 means SIXTEEN.
_SIZES = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}


def _adapter_size(size: int | None) -> types.AdapterSize | None:
    from google.genai import types

    return None if size is None else types.AdapterSize(f"ADAPTER_SIZE_{_SIZES[size]}")


def _order(job: types.TuningJob) -> Order | None:
    """None for another method than supervised tuning."""
    spec, before = job.supervised_tuning_spec, job.pre_tuned_model
    if spec is None:
        return None
    given = spec.hyper_parameters
    size = _plain(given.adapter_size, "ADAPTER_SIZE_") if given else None
    return Order(
        name=job.tuned_model_display_name or "",
        base_model=job.base_model or "",
        train_uri=spec.training_dataset_uri or "",
        validation_uri=spec.validation_dataset_uri,
        epochs=_integer(given.epoch_count) if given else None,
        learning_rate_multiplier=given.learning_rate_multiplier if given else None,
        adapter_size=next((number for number, name in _SIZES.items() if name == size), None),
        labels=job.labels or {},
        pre_tuned_model=before.tuned_model_name if before else None,
    )


def _job(job: types.TuningJob) -> Job:
    metadata = job.tuning_job_metadata
    statistics = _statistics(job)
    tuned = job.tuned_model
    return Job(
        name=job.name or "",
        state=_plain(job.state, "JOB_STATE_") or "UNSPECIFIED",
        detail=_plain(job.tuning_job_state, "TUNING_JOB_STATE_"),
        labels=job.labels or {},
        step=_integer(metadata.completed_step_count) if metadata else None,
        steps=_integer(statistics.get("tuning_step_count")),
        epoch=_integer(metadata.completed_epoch_count) if metadata else None,
        error=job.error.message if job.error else None,
        tuned_model=tuned.model if tuned else None,
        endpoint=tuned.endpoint if tuned else None,
        checkpoints=tuple(
            point.model_dump(mode="json", exclude_none=True)
            for point in (tuned.checkpoints or () if tuned else ())
        ),
        statistics=statistics,
        order=_order(job),
        created=job.create_time.isoformat() if job.create_time else None,
        started=job.start_time.isoformat() if job.start_time else None,
        finished=job.end_time.isoformat() if job.end_time else None,
    )


def _plain(value: Any, prefix: str) -> str | None:
    return None if value is None else str(getattr(value, "value", value)).removeprefix(prefix)


def _integer(value: Any) -> int | None:
    return None if value is None else int(value)


def _statistics(job: types.TuningJob) -> dict[str, Any]:
    """The counts of the service's statistics; its samples of training data are left out."""
    data = job.tuning_data_stats
    found = data.supervised_tuning_data_stats if data else None
    if found is None:
        return {}
    kept = (
        "tuning_dataset_example_count",
        "total_billable_token_count",
        "total_tuning_character_count",
        "tuning_step_count",
        "total_truncated_example_count",
    )
    return {key: value for key in kept if (value := getattr(found, key, None)) is not None}
