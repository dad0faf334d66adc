"""Vertex: what is ordered arrives, what is observed is read, what fails is never paid twice."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from google import genai
from google.oauth2.credentials import Credentials

from jobs.emulator.emulator import Emulator
from jobs.runner import remote, storage, vertex
from jobs.runner.errors import JobMissing, RemoteError, Unreachable, VertuneError
from jobs.runner.vertex import Job, Order, Vertex, location_of
from tests.runner import lines, shell
from tests.runner.lines import Line, line

PROJECT = "vertune-local"
REGION = "us-central1"
JOB = f"projects/{PROJECT}/locations/{REGION}/tuningJobs/7"
TRAIN = f"gs://{PROJECT}/train.jsonl"
PAIRS = (("a match was won", "sports"), ("two banks merge", "business"))


def order(**values: Any) -> Order:
    given: dict[str, Any] = {
        "name": "one-12345678",
        "base_model": "gemini-3.1-flash-lite",
        "train_uri": TRAIN,
        "validation_uri": None,
        "epochs": 2,
        "learning_rate_multiplier": None,
        "adapter_size": None,
        "labels": {"vertune-spec": "one"},
    }
    return Order(**(given | values))


def opened(url: str | None, location: str = REGION) -> Vertex:
    return Vertex(PROJECT, location, url)


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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the time for everything."""
    for name in ("_READING_MS", "_ACTING_MS", "_THINKING_MS"):
        monkeypatch.setattr(vertex, name, getattr(vertex, name) // 100)
    monkeypatch.setattr(remote, "PATIENCE", remote.PATIENCE / 100)


def ended(service: Vertex, name: str) -> Job:
    deadline = time.monotonic() + 60
    while not (job := service.job(name)).done:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def wire(emulator: Emulator, name: str) -> Any:
    """A job as the service tells it to any client."""
    return requests.get(f"{emulator.url}/v1/{name}", timeout=10).json()


def answer(body: Any, status: int = 200) -> bytes:
    return lines.http(status, json.dumps(body))


def refusal(status: int, reason: str, message: str, **more: Any) -> bytes:
    return answer({"error": {"code": status, "status": reason, "message": message, **more}}, status)


# Ordering


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


# Where calls go


@pytest.mark.parametrize("location", ["us-central1", "europe-west4", "us", "eu"])
def test_a_cloud_stack_is_served_by_google_whatever_the_shell_is_pointed_at(
    location: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    its_own = genai.Client(
        vertexai=True, project=PROJECT, location=location, credentials=Credentials(token="x")
    )
    shell.pointed_at(monkeypatch, emulator.url)
    client: Any = opened(None, location)._client._api_client
    usual: Any = its_own._api_client
    assert client._http_options.base_url == usual._http_options.base_url
    assert client._http_options.base_url.endswith("googleapis.com/")
    assert client._http_options.api_version == usual._http_options.api_version
    assert client._credentials.service_account_email == shell.ACCOUNT


def test_the_emulators_key_is_refused_for_google_cloud(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path, issuer=emulator.url)
    with pytest.raises(Unreachable, match="is the emulator's key"):
        opened(None)


def test_the_local_stack_asks_the_emulator_whatever_the_shell_is_pointed_at(
    service: Vertex, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, lines.nobody())
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    monkeypatch.setenv("GOOGLE_API_KEY", "key")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "global")
    assert opened(emulator.url).jobs({}) == []


# Failures


def _submit(service: Vertex) -> object:
    return service.submit(order())


def _job(service: Vertex) -> object:
    return service.job(JOB)


def _jobs(service: Vertex) -> object:
    return service.jobs({})


def _cancel(service: Vertex) -> object:
    service.cancel(JOB)
    return None


def _ask(service: Vertex) -> object:
    return service.generate("gemini-3.1-flash-lite", "x", None, 8)


every_call = pytest.mark.parametrize("call", [_submit, _job, _jobs, _cancel, _ask])
Call = Callable[[Vertex], object]


@every_call
def test_where_nobody_listens_a_call_fails_at_once(call: Call) -> None:
    url, start = lines.nobody(), time.monotonic()
    with pytest.raises(Unreachable) as error:
        call(opened(url))
    assert time.monotonic() - start < 5
    assert str(error.value).endswith(
        f": the emulator at {url} does not answer (nobody listens there);"
        " start it with `vertune emulator start`"
    )


@every_call
@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_given_up(call: Call) -> None:
    with lines.silent() as url:
        service, start = opened(url), time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            call(service)
        assert time.monotonic() - start < 5


def test_waits_for_a_silent_service_are_short() -> None:
    reading = vertex._READING_MS / 1000
    assert 2 * reading <= 30
    assert vertex._ACTING_MS <= 30_000
    assert reading < remote.PATIENCE < 2 * reading + 1  # a third wait never begins


@every_call
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b""])
def test_another_protocol_is_no_answer(call: Call, said: bytes) -> None:
    with lines.saying(said) as url, pytest.raises(Unreachable, match="does not answer"):
        call(opened(url))


@pytest.mark.parametrize("call", [_submit, _job, _jobs, _ask])
@pytest.mark.parametrize(
    "said",
    [
        lines.http(200, "<html>a captive portal</html>", "text/html"),
        answer({"name": 7, "tuningJobs": [{"name": 7}], "candidates": "many"}),
    ],
)
def test_another_content_is_no_answer(call: Call, said: bytes) -> None:
    with lines.saying(said) as url, pytest.raises(Unreachable, match="does not answer"):
        call(opened(url))


@pytest.mark.parametrize(
    "passing", [b"", refusal(503, "UNAVAILABLE", "Wait."), refusal(429, "", "")]
)
def test_a_question_is_asked_again_when_the_service_was_busy(passing: bytes) -> None:
    with lines.saying(passing, answer({"name": JOB})) as url:
        assert opened(url).job(JOB).name == JOB


@pytest.mark.usefixtures("impatient")
def test_a_service_that_stays_busy_is_named_with_what_it_said() -> None:
    busy = refusal(503, "UNAVAILABLE", "Wait.")
    with lines.saying(busy) as url, pytest.raises(RemoteError) as error:
        opened(url).job(JOB)
    assert str(error.value) == (f"reading {JOB}: 503 UNAVAILABLE: Wait.; run this again in a while")


@every_call
@pytest.mark.parametrize(
    ("status", "reason", "way_out"),
    [
        (401, "UNAUTHENTICATED", "; run `gcloud auth application-default login`"),
        (403, "PERMISSION_DENIED", "; `vertune doctor` says whose credentials are in use"),
        (400, "FAILED_PRECONDITION", ""),
    ],
)
def test_a_refusal_is_said_in_the_services_words(
    call: Call, status: int, reason: str, way_out: str
) -> None:
    said = refusal(status, reason, "So it is.")
    with lines.saying(said) as url, pytest.raises(RemoteError) as error:
        call(opened(url))
    assert str(error.value).endswith(f": {status} {reason}: So it is.{way_out}")


@pytest.mark.parametrize(
    "body", [{"error": "invalid"}, {"error": {"details": [{"@type": "x"}]}}, [], "no", None]
)
def test_a_refusal_of_any_shape_is_a_refusal(body: Any) -> None:
    with lines.saying(answer(body, 400)) as url, pytest.raises(RemoteError, match="400"):
        opened(url).job(JOB)
