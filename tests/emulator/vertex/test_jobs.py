"""Tuning jobs through Google's clients: submitted, followed, listed, cancelled."""

from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.genai import types
from google.genai.errors import ClientError

from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import (
    BASE,
    HERE,
    PROJECT,
    REGION,
    TRAIN,
    Place,
    headlines,
    order,
    quietly,
)

HERE_BY_NUMBER = f"projects/0/locations/{REGION}"


def tuning_client(place: Place, package: Any = aiplatform_v1) -> Any:
    return package.GenAiTuningServiceClient(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options={"api_endpoint": place.url},
    )


def test_the_genai_client_tunes_and_asks_the_tuned_model(place: Place) -> None:
    client = place.client()
    config = types.CreateTuningJobConfig(
        tuned_model_display_name="headlines",
        epoch_count=2,
        adapter_size=types.AdapterSize.ADAPTER_SIZE_EIGHT,
        labels={"vertune-spec": "headlines"},
    )
    dataset = types.TuningDataset(gcs_uri=TRAIN)

    created = quietly(
        lambda: client.tunings.tune(base_model=BASE, training_dataset=dataset, config=config)
    )
    assert created.name
    place.finished(created.name)
    job = quietly(lambda: client.tunings.get(name=created.name or ""))

    assert job.has_succeeded
    assert job.tuned_model
    assert job.tuned_model.endpoint
    assert [point.epoch for point in job.tuned_model.checkpoints or ()] == [1, 2]
    answer = place.client("us").models.generate_content(
        model=job.tuned_model.endpoint, contents="football news 0"
    )
    assert answer.text == "sports"


@pytest.mark.parametrize("package", [aiplatform_v1, aiplatform_v1beta1])
def test_the_generated_client_tunes_with_integer_enums_and_int64_strings(
    place: Place, package: Any
) -> None:
    client = tuning_client(place, package)
    job = package.TuningJob(
        base_model=BASE,
        tuned_model_display_name="headlines",
        supervised_tuning_spec=package.SupervisedTuningSpec(
            training_dataset_uri=TRAIN,
            hyper_parameters=package.SupervisedHyperParameters(
                epoch_count=2,
                learning_rate_multiplier=0.5,
                adapter_size=package.SupervisedHyperParameters.AdapterSize.ADAPTER_SIZE_FOUR,
            ),
        ),
    )

    created = client.create_tuning_job(parent=HERE, tuning_job=job)
    place.finished(created.name)
    done = client.get_tuning_job(name=created.name)

    assert done.state == package.JobState.JOB_STATE_SUCCEEDED
    hyper_parameters = done.supervised_tuning_spec.hyper_parameters
    assert hyper_parameters.adapter_size.name == "ADAPTER_SIZE_FOUR"
    assert (hyper_parameters.epoch_count, hyper_parameters.learning_rate_multiplier) == (2, 0.5)
    assert done.start_time <= done.end_time
    stats = done.tuning_data_stats.supervised_tuning_data_stats
    assert stats.tuning_dataset_example_count == 12
    assert stats.user_input_token_distribution.min_ == 3
    assert [job.name for job in client.list_tuning_jobs(parent=HERE)] == [created.name]


def test_a_job_is_answered_under_the_projects_number_and_found_by_its_id(place: Place) -> None:
    name = place.create()["name"]

    assert name.startswith(f"{HERE_BY_NUMBER}/tuningJobs/local-")
    assert place.job(name.replace("projects/0", f"projects/{PROJECT}"))["name"] == name


def test_a_job_of_an_unknown_project_is_forbidden(place: Place) -> None:
    path = f"v1/{HERE.replace(PROJECT, 'someone-else')}/tuningJobs"

    status, body = place.call("POST", path, order())

    assert (status, body["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_a_missing_job_is_not_found(place: Place) -> None:
    with pytest.raises(NotFound):
        tuning_client(place).get_tuning_job(name=f"{HERE}/tuningJobs/4242")


def test_a_finished_job_says_what_was_left_open_and_what_it_cost(place: Place) -> None:
    job = place.tuned()

    hyper_parameters = job["supervisedTuningSpec"]["hyperParameters"]
    assert hyper_parameters == {
        "epochCount": "10",
        "learningRateMultiplier": 1.0,
        "adapterSize": "ADAPTER_SIZE_FOUR",
    }
    stats = job["tuningDataStats"]["supervisedTuningDataStats"]
    tokens = int(stats["userInputTokenDistribution"]["sum"]) + int(
        stats["userOutputTokenDistribution"]["sum"]
    )
    assert stats["totalBillableTokenCount"] == str(10 * tokens)
    assert stats["tuningStepCount"] == "20"
    assert "userDatasetExamples" not in stats
    assert job["tuningJobMetadata"] == {"completedEpochCount": "10", "completedStepCount": "20"}
    assert "tuningJobState" not in job


def test_epochs_by_default_shrink_as_the_dataset_grows(place: Place) -> None:
    place.objects[TRAIN] = headlines(150)

    job = place.tuned()

    assert job["supervisedTuningSpec"]["hyperParameters"]["epochCount"] == "2"


def test_a_job_is_marked_as_a_local_stand_in_and_keeps_its_own_labels(place: Place) -> None:
    job = place.create(labels={"team_name": "search"})

    assert job["labels"] == {"team_name": "search", "local-stand-in": "nearest-example"}


def test_the_metrics_of_every_step_can_be_read_and_followed(place: Place) -> None:
    place.objects["gs://data/validation.jsonl"] = headlines(3)
    name = place.tuned(epochs=2, spec={"validationDatasetUri": "gs://data/validation.jsonl"})[
        "name"
    ]

    _, answer = place.call("GET", f"emulator/v1/{name}:metrics")
    _, rest = place.call("GET", f"emulator/v1/{name}:metrics?after=3")

    steps = answer["steps"]
    assert [(step["step"], step["epoch"]) for step in steps] == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert "/train_total_loss" in steps[0]["metrics"]
    assert "/eval_total_loss" in steps[1]["metrics"]
    assert rest["steps"] == steps[3:]


def test_jobs_are_listed_newest_first_in_pages_that_survive_arrivals(held_place: Place) -> None:
    names = [held_place.create()["name"] for _ in range(5)]
    path = f"v1/{HERE}/tuningJobs?pageSize=2"

    _, first = held_place.call("GET", path)
    held_place.create()
    _, second = held_place.call("GET", f"{path}&pageToken={first['nextPageToken']}")
    _, third = held_place.call("GET", f"{path}&pageToken={second['nextPageToken']}")

    pages = [[job["name"] for job in page["tuningJobs"]] for page in (first, second, third)]
    assert pages == [names[4:2:-1], names[2:0:-1], names[:1]]
    assert "nextPageToken" not in third


def test_the_genai_client_reads_all_pages(held_place: Place) -> None:
    names = [held_place.create()["name"] for _ in range(5)]
    client = held_place.client()

    found = quietly(lambda: list(client.tunings.list(config={"page_size": 2})))

    assert [job.name for job in found] == names[::-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("labels.spec=headlines", ["a"]),
        ('labels.spec="headlines"', ["a"]),
        ("labels.spec:*", ["b", "a"]),
        ("labels.spec:* AND labels.team=search", ["b"]),
        ("labels.spec!=headlines", ["c", "b"]),
        ("state=JOB_STATE_QUEUED", ["c", "b"]),
        ("tuned_model_display_name=c", ["c"]),
        ("labels.spec=nothing", []),
    ],
)
def test_a_list_is_filtered(held_place: Place, held: Held, text: str, found: list[str]) -> None:
    held_place.create(labels={"spec": "headlines"}, tunedModelDisplayName="a")
    held_place.create(labels={"spec": "dialogues", "team": "search"}, tunedModelDisplayName="b")
    held_place.create(tunedModelDisplayName="c")
    held.next_call()

    jobs = tuning_client(held_place).list_tuning_jobs(request={"parent": HERE, "filter": text})

    assert [job.tuned_model_display_name for job in jobs] == found


@pytest.mark.parametrize(
    "query", ["filter=labels", "filter=colour%3Dred", "pageToken=x", "pageSize=-1", "orderBy=name"]
)
def test_a_list_that_cannot_be_understood_is_refused(held_place: Place, query: str) -> None:
    status, body = held_place.call("GET", f"v1/{HERE}/tuningJobs?{query}")

    assert (status, body["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_cancelled_job_is_kept_with_code_one(held_place: Place, held: Held) -> None:
    name = held_place.create()["name"]
    held.next_call()

    tuning_client(held_place).cancel_tuning_job(name=name)
    job = held_place.finished(name)

    assert job["state"] == "JOB_STATE_CANCELLED"
    assert job["error"]["code"] == 1


def test_the_genai_client_cancels_without_a_body(held_place: Place, held: Held) -> None:
    name = held_place.create()["name"]
    held.next_call()

    quietly(lambda: held_place.client().tunings.cancel(name=name))

    assert held_place.finished(name)["state"] == "JOB_STATE_CANCELLED"


def test_a_finished_job_cannot_be_cancelled(place: Place) -> None:
    name = place.tuned()["name"]

    with pytest.raises(ClientError) as caught:
        quietly(lambda: place.client().tunings.cancel(name=name))

    assert caught.value.status == "FAILED_PRECONDITION"
