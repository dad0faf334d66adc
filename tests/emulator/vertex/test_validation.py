"""Orders the service refuses before a job exists, in its own codes and words."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.genai import types
from google.genai.errors import ClientError

from tests.emulator.vertex.place import BASE, HERE, TRAIN, Place, order, quietly
from tests.emulator.vertex.test_jobs import tuning_client

SPEC = "tuning_job.supervised_tuning_spec"


def refused(place: Place, body: Any, here: str = HERE, root: str = "v1beta1") -> Any:
    """The error of an order, which leaves no job behind."""
    status, answer = place.call("POST", f"{root}/{here}/tuningJobs", body)
    assert status == answer["error"]["code"]
    assert place.call("GET", f"v1/{here}/tuningJobs")[1] == {}
    return answer["error"]


def violations(error: Any) -> dict[str, str]:
    return {
        violation["field"]: violation["description"]
        for detail in error.get("details", [])
        for violation in detail["fieldViolations"]
    }


def test_an_unknown_base_model_is_refused(held_place: Place) -> None:
    error = refused(held_place, order(baseModel="gemini-9"))

    assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"] == "Base model gemini-9 is not supported."


def test_a_retired_base_model_is_refused_with_its_date(held_place: Place) -> None:
    error = refused(held_place, order(baseModel="gemini-2.5-flash"))

    assert error["status"] == "INVALID_ARGUMENT"
    assert "retired on 2026-10-20" in error["message"]


def test_a_base_model_may_be_named_as_the_publishers(held_place: Place) -> None:
    job = held_place.create(baseModel=f"publishers/google/models/{BASE}")

    assert job["baseModel"] == BASE


@pytest.mark.parametrize("location", ["global", "us", "asia-southeast1"])
def test_a_location_where_nothing_is_tuned_is_a_failed_precondition(
    held_place: Place, location: str
) -> None:
    error = refused(held_place, order(), HERE.replace("us-central1", location))

    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")
    assert location in error["message"]
    assert "us-central1, europe-west4" in error["message"]


def test_an_adapter_size_the_model_lacks_is_refused(held_place: Place) -> None:
    spec = {"hyperParameters": {"adapterSize": "ADAPTER_SIZE_THIRTY_TWO"}}

    error = refused(held_place, order(spec=spec))

    assert error["message"] == "The adapter size is not supported for this base model."


@pytest.mark.parametrize(
    ("number", "name"), [(1, "ONE"), (2, "FOUR"), (3, "EIGHT"), (4, "SIXTEEN"), (6, "TWO")]
)
def test_an_adapter_sizes_number_is_not_its_size(held_place: Place, number: int, name: str) -> None:
    job = held_place.create(spec={"hyperParameters": {"adapterSize": number}})

    found = job["supervisedTuningSpec"]["hyperParameters"]["adapterSize"]
    assert found == f"ADAPTER_SIZE_{name}"


def test_every_fault_is_named_at_once(held_place: Place) -> None:
    spec = {
        "trainingDatasetUri": "data/train.jsonl",
        "validationDatasetUri": "gs://data/none.jsonl",
        "hyperParameters": {"epochCount": 0, "learningRateMultiplier": -1},
    }

    error = refused(held_place, order(spec=spec, labels={"Team": "x"}))

    assert error["message"].startswith("List of found errors:\t1.Field: ")
    assert violations(error).keys() == {
        f"{SPEC}.training_dataset_uri",
        f"{SPEC}.validation_dataset_uri",
        f"{SPEC}.hyper_parameters.epoch_count",
        f"{SPEC}.hyper_parameters.learning_rate_multiplier",
        "tuning_job.labels",
    }


def test_a_training_dataset_is_required(held_place: Place) -> None:
    error = refused(held_place, order(spec={"trainingDatasetUri": ""}))

    assert violations(error) == {f"{SPEC}.training_dataset_uri": "Required field is not set."}


@pytest.mark.parametrize("data", [b"topic,text\nsports,football\n", b"", b"[1, 2]\n", b'"text"\n'])
def test_an_object_that_is_not_jsonl_is_refused_as_the_service_does(
    held_place: Place, data: bytes
) -> None:
    held_place.objects[TRAIN] = data

    error = refused(held_place, order())

    said = "training_dataset_uri should be a GCS object of type JSONL."
    assert violations(error) == {f"{SPEC}.training_dataset_uri": said}


def test_an_object_that_is_missing_is_refused(held_place: Place) -> None:
    del held_place.objects[TRAIN]

    error = refused(held_place, order())

    assert f"{TRAIN} does not exist" in violations(error)[f"{SPEC}.training_dataset_uri"]


@pytest.mark.parametrize(
    "labels",
    [{"Team": "x"}, {"1st": "x"}, {"team": "X"}, {"team": "a b"}, {"t" * 64: "x"}, {"": "x"}],
)
def test_a_label_the_cloud_would_not_take_is_refused(
    held_place: Place, labels: dict[str, str]
) -> None:
    error = refused(held_place, order(labels=labels))

    assert list(violations(error)) == ["tuning_job.labels"]


def test_labels_may_be_international_and_as_long_as_63(held_place: Place) -> None:
    labels = {"größe": "été-1_2", "f" * 63: "", "empty": ""}

    assert labels.items() <= held_place.create(labels=labels)["labels"].items()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (order(baseModell="x"), "baseModell"),
        (order(spec={"colour": "red"}), "colour"),
        (
            order(spec={"hyperParameters": {"learning_rate_multiplyer": 1}}),
            "learningRateMultiplyer",
        ),
    ],
)
def test_a_misspelt_field_is_refused(held_place: Place, body: Any, field: str) -> None:
    error = refused(held_place, body)

    assert f'Unknown name "{field}"' in error["message"]


@pytest.mark.parametrize(
    "spec",
    [
        {"trainingDatasetUri": 7},
        {"hyperParameters": "many"},
        {"hyperParameters": {"epochCount": "three"}},
        {"hyperParameters": {"epochCount": 1.5}},
        {"hyperParameters": {"epochCount": True}},
        {"hyperParameters": {"learningRateMultiplier": "fast"}},
        {"hyperParameters": {"adapterSize": 77}},
        {"hyperParameters": {"adapterSize": "FOUR"}},
        {"exportLastCheckpointOnly": "yes"},
    ],
)
def test_a_value_of_the_wrong_type_is_refused(held_place: Place, spec: dict[str, Any]) -> None:
    error = refused(held_place, order(spec=spec))

    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"].startswith("Invalid value at 'tuning_job.supervised_tuning_spec")


def test_a_field_of_the_beta_is_unknown_to_v1(held_place: Place) -> None:
    error = refused(held_place, order(outputUri="gs://data/out"), root="v1")

    assert 'Unknown name "outputUri"' in error["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"preferenceOptimizationSpec": {}},
        {"outputUri": "gs://data/out"},
        {"spec": {"tuningMode": "TUNING_MODE_FULL"}},
        {"spec": {"hyperParameters": {"batchSize": 8}}},
    ],
)
def test_what_the_emulator_does_not_do_it_says(held_place: Place, fields: dict[str, Any]) -> None:
    error = refused(held_place, order(**fields))

    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")


def test_customer_managed_keys_are_refused_as_for_every_gemini_3(held_place: Place) -> None:
    error = refused(held_place, order(encryptionSpec={"kmsKeyName": "projects/p/key"}))

    assert error["status"] == "FAILED_PRECONDITION"


def test_fields_may_be_in_snake_case_and_outputs_are_ignored(held_place: Place) -> None:
    body = {
        "base_model": BASE,
        "tuned_model_display_name": "headlines",
        "supervised_tuning_spec": {
            "training_dataset_uri": TRAIN,
            "hyper_parameters": {"epoch_count": "3"},
        },
        "labels": {"snake_key": "snake_value"},
        "state": "JOB_STATE_SUCCEEDED",
        "name": "mine",
    }

    status, job = held_place.call("POST", f"v1/{HERE}/tuningJobs", body)

    assert status == 200
    assert job["state"] == "JOB_STATE_QUEUED"
    assert job["name"] != "mine"
    assert job["supervisedTuningSpec"]["hyperParameters"] == {"epochCount": "3"}
    assert job["labels"]["snake_key"] == "snake_value"


def test_both_clients_see_the_refusal_as_theirs(held_place: Place) -> None:
    client = held_place.client()
    dataset = types.TuningDataset(gcs_uri=TRAIN)

    with pytest.raises(ClientError) as seen:
        quietly(lambda: client.tunings.tune(base_model="gemini-9", training_dataset=dataset))
    with pytest.raises(BadRequest) as also:
        tuning_client(held_place).create_tuning_job(parent=HERE, tuning_job={"base_model": "x"})

    assert seen.value.status == "INVALID_ARGUMENT"
    assert "is not set" in also.value.message
