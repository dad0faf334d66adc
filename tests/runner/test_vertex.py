"""Vertex: what is ordered arrives, what is observed is read, what fails is never paid twice."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from jobs.emulator.emulator import Emulator
from jobs.runner import storage, vertex
from jobs.runner.errors import JobMissing, RemoteError, Unreachable, VertuneError
from jobs.runner.vertex import Job, Vertex, location_of
from tests.runner import lines
from tests.runner.asking import JOB, PROJECT, REGION, TRAIN, answer, opened, order, refusal
from tests.runner.lines import Line, line

PAIRS = (("a match was won", "sports"), ("two banks merge", "business"))


@pytest.fixture
def service(emulator: Emulator) -> Vertex:
    """With examples to tune on in a bucket."""
    bucket = storage.bucket(PROJECT, PROJECT, emulator.url)
    bucket.create(location=REGION)
    examples = [
        {
            "contents": [
                {"role": "user", "parts": [{"text": text}]},
                {"role": "model", "parts": [{"text": answer}]},
            ]
        }
        for text, answer in PAIRS
    ]
    text = "".join(json.dumps(example) + "\n" for example in examples)
    for name in ("train", "validation"):
        bucket.blob(f"{name}.jsonl").upload_from_string(text)
    return opened(emulator.url)


@pytest.fixture
def way(emulator: Emulator, service: Vertex) -> Iterator[Line]:
    with line(emulator.url) as way:
        yield way


def ended(service: Vertex, name: str) -> Job:
    deadline = time.monotonic() + 60
    while not (job := service.job(name)).done:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def wire(emulator: Emulator, name: str) -> Any:
    """A job as the service tells it to any client."""
    return requests.get(f"{emulator.url}/v1/{name}", timeout=10).json()


# Ordering


def test_a_key_of_ones_own_goes_along_and_the_service_says_which_models_take_none(
    service: Vertex,
) -> None:
    key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
    with pytest.raises(RemoteError, match="Customer-managed encryption keys are not supported"):
        service.submit(order(kms_key=key))
    assert service.jobs({}) == []


def test_an_order_arrives_as_it_was_meant(service: Vertex, emulator: Emulator) -> None:
    labels = {"vertune-spec": "one", "vertune-stack": "local", "team": "search"}
    job = service.submit(
        order(
            validation_uri=TRAIN.replace("train", "validation"),
            epochs=3,
            learning_rate_multiplier=0.5,
            adapter_size=4,
            labels=labels,
        )
    )
    found = wire(emulator, job.name)
    assert found["baseModel"] == "gemini-3.1-flash-lite"
    assert found["tunedModelDisplayName"] == "one-12345678"
    assert labels.items() <= found["labels"].items()
    spec = found["supervisedTuningSpec"]
    assert spec["trainingDatasetUri"] == TRAIN
    assert spec["validationDatasetUri"] == TRAIN.replace("train", "validation")
    wanted = spec["hyperParameters"]
    assert (int(wanted["epochCount"]), wanted["learningRateMultiplier"]) == (3, 0.5)
    assert wanted["adapterSize"] == "ADAPTER_SIZE_FOUR"


@pytest.mark.parametrize(
    ("size", "name"),
    [(1, "ONE"), (2, "TWO"), (4, "FOUR"), (8, "EIGHT"), (16, "SIXTEEN"), (32, "THIRTY_TWO")],
)
def test_an_adapter_size_is_sent_by_its_name(size: int, name: str) -> None:
    with lines.saying(answer({"name": JOB})) as server, line(server) as way:
        opened(way.url).submit(order(adapter_size=size))
    body = json.loads(way.bodies[-1])
    hyper_parameters = body["supervisedTuningSpec"]["hyperParameters"]
    assert hyper_parameters == {"epochCount": 2, "adapterSize": f"ADAPTER_SIZE_{name}"}


def test_what_is_left_to_the_service_is_not_sent(way: Line) -> None:
    opened(way.url).submit(order(epochs=None))
    body = json.loads(way.bodies[-1])
    assert body["supervisedTuningSpec"] == {"trainingDatasetUri": TRAIN}


def test_a_refused_order_names_each_field(service: Vertex) -> None:
    with pytest.raises(RemoteError) as error:
        service.submit(order(train_uri="here.jsonl", epochs=-1))
    said = str(error.value)
    assert said.startswith("submitting the tuning job of one-12345678: 400 INVALID_ARGUMENT: ")
    for field in ("training_dataset_uri", "epoch_count"):
        assert any(field in part for part in said.splitlines()[1:]), said


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_order_is_sent_once_whatever_the_answer(status: int) -> None:
    with (
        lines.saying(refusal(status, "UNAVAILABLE", "Try again.")) as server,
        line(server) as way,
        pytest.raises(RemoteError) as error,
    ):
        opened(way.url).submit(order())
    assert error.value.status == status
    assert len(way.asked) == 1


def test_an_order_whose_answer_was_lost_is_not_sent_again(way: Line, service: Vertex) -> None:
    way.cut = lines.once("POST ")
    with pytest.raises(Unreachable, match="submitting the tuning job of one-12345678"):
        opened(way.url).submit(order())
    assert len(way.asked) == 1
    assert len(service.jobs({"vertune-spec": "one"})) == 1


# Observing


def test_a_job_that_runs_tells_how_far_it_is() -> None:
    said = {
        "name": JOB,
        "state": "JOB_STATE_RUNNING",
        "tuningJobState": "TUNING_JOB_STATE_TUNING",
        "labels": {"a": "b"},
        "tuningJobMetadata": {"completedStepCount": "30", "completedEpochCount": "2"},
        "tuningDataStats": {"supervisedTuningDataStats": {"tuningStepCount": "120"}},
        "aFieldOfTomorrow": {"x": 1},
    }
    with lines.saying(answer(said)) as url:
        job = opened(url).job(JOB)
    assert (job.name, job.state, job.detail) == (JOB, "RUNNING", "TUNING")
    assert (job.step, job.steps, job.epoch) == (30, 120, 2)
    assert job.labels == {"a": "b"}
    assert not job.done


@pytest.mark.parametrize(
    ("state", "done", "succeeded"),
    [
        ("QUEUED", False, False),
        ("PENDING", False, False),
        ("RUNNING", False, False),
        ("PAUSED", False, False),
        ("CANCELLING", False, False),
        ("SUCCEEDED", True, True),
        ("FAILED", True, False),
        ("CANCELLED", True, False),
        ("EXPIRED", True, False),
        ("PARTIALLY_SUCCEEDED", True, False),
    ],
)
def test_some_states_never_change_again(state: str, done: bool, succeeded: bool) -> None:
    with lines.saying(answer({"name": JOB, "state": f"JOB_STATE_{state}"})) as url:
        job = opened(url).job(JOB)
    assert (job.state, job.done, job.succeeded) == (state, done, succeeded)


def test_a_state_of_tomorrow_is_waited_through() -> None:
    with (
        lines.saying(answer({"name": JOB, "state": "JOB_STATE_PONDERING"})) as url,
        pytest.warns(UserWarning, match="PONDERING"),
    ):
        job = opened(url).job(JOB)
    assert not job.done


def test_a_failed_job_says_why() -> None:
    said = {"name": JOB, "state": "JOB_STATE_FAILED", "error": {"code": 3, "message": "No room."}}
    with lines.saying(answer(said)) as url:
        assert opened(url).job(JOB).error == "No room."


def test_a_succeeded_job_tells_all_that_is_recorded(service: Vertex) -> None:
    job = ended(service, service.submit(order(epochs=2)).name)
    assert job.succeeded
    assert "/models/local-" in (job.tuned_model or "")
    assert location_of(job.endpoint or "") == "us"
    assert job.statistics["tuning_dataset_example_count"] == len(PAIRS)
    assert job.checkpoints
    assert job.checkpoints[-1]["endpoint"]
    assert (job.step, job.steps) == (job.statistics["tuning_step_count"],) * 2
    assert job.finished is not None
    assert vertex.STAND_IN_LABEL in job.labels


def test_samples_of_the_training_data_are_not_kept() -> None:
    statistics = {
        "tuningDatasetExampleCount": "2",
        "totalBillableTokenCount": "40",
        "userDatasetExamples": [{"role": "user", "parts": [{"text": "a secret"}]}],
        "truncatedExampleIndices": ["1"],
        "droppedExampleReasons": ["a secret"],
        "userInputTokenDistribution": {"sum": "3"},
    }
    said = {"name": JOB, "tuningDataStats": {"supervisedTuningDataStats": statistics}}
    with lines.saying(answer(said)) as url:
        job = opened(url).job(JOB)
    assert "secret" not in repr(job)
    assert job.statistics == {
        "tuning_dataset_example_count": 2,
        "total_billable_token_count": 40,
    }


def test_a_job_that_is_gone_is_an_error_of_its_own(service: Vertex) -> None:
    with pytest.raises(JobMissing, match="is gone; Vertex AI has no such job"):
        service.job(JOB)


def test_jobs_are_found_by_their_labels_on_whatever_page_they_are() -> None:
    def page(number: int, **more: str) -> bytes:
        mine = {"vertune-spec": "one", "vertune-stack": "local", "n": str(number)}
        theirs = mine | {"vertune-stack": "dev"}
        jobs = [
            {"name": f"{JOB}{number}{i}", "labels": x} for i, x in enumerate((mine, theirs, {}))
        ]
        return answer({"tuningJobs": jobs, **more})

    pages = (page(1, nextPageToken="2"), page(2, nextPageToken="3"), page(3))
    with lines.saying(*pages) as server, line(server) as way:
        found = opened(way.url).jobs({"vertune-spec": "one", "vertune-stack": "local"})
    assert [job.name for job in found] == [f"{JOB}10", f"{JOB}20", f"{JOB}30"]
    assert ["pageToken=2" in way.asked[1], "pageToken=3" in way.asked[2]] == [True, True]
    assert "filter" not in "".join(way.asked)


def test_no_jobs_at_all_are_an_empty_list(service: Vertex) -> None:
    assert service.jobs({"vertune-spec": "one"}) == []


def test_a_job_can_be_cancelled(service: Vertex) -> None:
    first, second = (service.submit(order(epochs=50)).name for _ in range(2))
    service.cancel(second)
    assert ended(service, second).state == "CANCELLED"
    assert ended(service, first).succeeded


# Predicting


def test_base_and_tuned_answer_where_the_tuned_one_is_served(service: Vertex) -> None:
    job = ended(service, service.submit(order()).name)
    serving = service.at(location_of(job.endpoint or ""))
    tuned = serving.generate(job.endpoint or "", PAIRS[0][0], None, 16)
    assert tuned.text == PAIRS[0][1]
    assert "local simulation of gemini-3.1-flash-lite" in (tuned.model_version or "")
    base = serving.generate("gemini-3.1-flash-lite", PAIRS[0][0], "Name the topic.", 16)
    assert base.text != PAIRS[0][1]


def test_the_same_location_is_the_same_client(service: Vertex) -> None:
    assert service.at(REGION) is service
    assert service.at("us") is not service


def test_a_question_says_how_it_is_to_be_answered() -> None:
    said = {"candidates": [{"content": {"role": "model", "parts": [{"text": " sports \n"}]}}]}
    with lines.saying(answer(said)) as server, line(server) as way:
        found = opened(way.url, "us").generate("gemini-3.1-flash-lite", "x", "Be short.", 12)
    assert found.text == "sports"
    path = f"/v1beta1/projects/{PROJECT}/locations/us/publishers/google/models/"
    assert way.asked == [f"POST {path}gemini-3.1-flash-lite:generateContent"]
    body = json.loads(way.bodies[0])
    assert body["systemInstruction"]["parts"] == [{"text": "Be short."}]
    assert body["generationConfig"] == {
        "temperature": 0.0,
        "maxOutputTokens": 12,
        "thinkingConfig": {"thinking_level": "MINIMAL"},
    }


def test_an_answer_that_was_blocked_is_empty() -> None:
    with lines.saying(answer({"promptFeedback": {"blockReason": "SAFETY"}})) as url:
        assert opened(url).generate("gemini-3.1-flash-lite", "x", None, 12).text == ""


def test_a_name_without_a_location_is_refused() -> None:
    with pytest.raises(VertuneError, match="names no location"):
        location_of("endpoints/7")
