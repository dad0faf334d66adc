"""Continuing: a tuning that starts from what another has learnt, through Google's own client."""

from typing import Any

import pytest
from google.genai import types

from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import (
    BASE,
    HERE,
    PROJECT,
    TRAIN,
    Place,
    example,
    jsonl,
    order,
    quietly,
)

MORE = "gs://data/more.jsonl"


def continuing(model: str, **fields: Any) -> dict[str, Any]:
    """An order that starts from `model`; what it says of a checkpoint is `checkpoint`."""
    asked = {"tunedModelName": model}
    if checkpoint := fields.pop("checkpoint", None):
        asked["checkpointId"] = checkpoint
    body = order(preTunedModel=asked, **fields)
    return {name: value for name, value in body.items() if name != "baseModel"}


def continued(place: Place, model: str, **fields: Any) -> Any:
    """The job that went on from `model`, succeeded."""
    status, job = place.call("POST", f"v1/{HERE}/tuningJobs", continuing(model, **fields))
    assert status == 200, job
    finished = place.finished(job["name"])
    assert finished["state"] == "JOB_STATE_SUCCEEDED", finished
    return finished


def refused(place: Place, body: dict[str, Any], where: str = HERE) -> tuple[int, str]:
    status, answer = place.call("POST", f"v1/{where}/tuningJobs", body)
    assert status >= 400, answer
    return status, answer["error"]["message"]


def says(place: Place, endpoint: str, text: str) -> str:
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    _, answer = place.call("POST", f"v1/{endpoint}:generateContent", body)
    return str(answer["candidates"][0]["content"]["parts"][0]["text"])


def test_it_knows_what_it_learnt_before_and_what_came_later(place: Place) -> None:
    place.objects[MORE] = jsonl(example("orchestra", "culture"))
    first = place.tuned(epochs=1)["tunedModel"]

    second = continued(place, first["model"], spec={"trainingDatasetUri": MORE})["tunedModel"]

    asked = ("football news 0", "orchestra")
    assert [says(place, second["endpoint"], text) for text in asked] == ["sports", "culture"]
    assert says(place, first["endpoint"], "orchestra") == "orchestra"  # knows nothing of it


def test_it_makes_the_next_version_of_the_model_it_continues(place: Place) -> None:
    first = place.tuned(epochs=1, tunedModelDisplayName="headlines")["tunedModel"]["model"]

    job = continued(place, first)

    model = first.partition("@")[0]
    assert job["tunedModel"]["model"] == f"{model}@2"
    assert job["tunedModelDisplayName"] == "headlines"
    assert job["preTunedModel"] == {
        "tunedModelName": first,
        "checkpointId": "1",
        "baseModel": BASE,
    }
    assert "baseModel" not in job
    _, default = place.call("GET", f"v1/{model}")
    assert default["versionId"] == "1"


def test_a_new_name_makes_a_new_model(place: Place) -> None:
    first = place.tuned(epochs=1, tunedModelDisplayName="headlines")["tunedModel"]["model"]

    model = continued(place, first, tunedModelDisplayName="topics")["tunedModel"]["model"]

    assert model.endswith("@1")
    assert model != first


def test_googles_client_continues_from_a_checkpoint(place: Place) -> None:
    first = place.tuned(epochs=3)["tunedModel"]["model"]
    client = place.client()

    job = quietly(
        lambda: client.tunings.tune(
            base_model=first,
            training_dataset=types.TuningDataset(gcs_uri=TRAIN),
            config=types.CreateTuningJobConfig(epoch_count=1, pre_tuned_model_checkpoint_id="2"),
        )
    )
    finished = place.finished(str(job.name))
    model = client.tunings.get(name=str(job.name)).tuned_model

    assert finished["preTunedModel"]["checkpointId"] == "2"
    assert model is not None
    assert str(model.model).endswith("@2")


def test_the_trainer_starts_from_that_checkpoint_with_its_adapter_size(
    held_place: Place, held: Held
) -> None:
    first = held_place.create(spec={"hyperParameters": {"adapterSize": "ADAPTER_SIZE_EIGHT"}})
    held.next_call().finish()
    model = held_place.finished(first["name"])["tunedModel"]["model"]

    held_place.call("POST", f"v1/{HERE}/tuningJobs", continuing(model, epochs=1))
    call = held.next_call()

    folder = held_place.state.folder / "tuned" / first["name"].rpartition("/")[2]
    assert call.settings.continue_from == folder / "1"
    assert call.settings.adapter_size == 8


@pytest.mark.parametrize("version", ["", "@1", "@default"])
def test_a_version_is_named_by_number_or_alias_or_left_out(place: Place, version: str) -> None:
    first = place.tuned(epochs=1)["tunedModel"]["model"]
    written = first.partition("@")[0].replace("projects/0/", f"projects/{PROJECT}/")

    job = continued(place, written + version)

    assert job["preTunedModel"]["tunedModelName"] == first


@pytest.mark.parametrize(
    ("model", "status", "message"),
    [
        ("projects/0/locations/us/models/888", 404, "The Model does not exist: projects/0/"),
        ("projects/9/locations/us/models/888", 403, "Permission denied"),
        ("projects/other/locations/us/models/888", 400, "is not of the tuning job's project"),
        ("gemini-3.1-flash-lite", 400, "The Model name is malformed"),
        ("", 400, "The Model name is malformed"),
    ],
)
def test_a_model_there_is_not_is_refused(
    held_place: Place, model: str, status: int, message: str
) -> None:
    code, said = refused(held_place, continuing(model))
    assert (code, message in said) == (status, True)


def test_what_does_not_go_with_the_model_is_refused(place: Place) -> None:
    model = place.tuned(epochs=1)["tunedModel"]["model"]
    europe = HERE.replace("us-central1", "europe-west4")
    size = {"hyperParameters": {"adapterSize": "ADAPTER_SIZE_SIXTEEN"}}

    assert refused(place, continuing(f"{model[:-1]}7"))[0] == 404
    answers = [
        refused(place, continuing(model, checkpoint="7")),
        refused(place, continuing(model, spec=size)),
        refused(place, continuing(model), europe),
        refused(place, {**continuing(model), "baseModel": BASE}),
    ]
    assert [code for code, _ in answers] == [400, 400, 400, 400]
    told = ["'7' does not exist", "must be that of the pre-tuned", "location eu", "already set"]
    assert [part in said for part, (_, said) in zip(told, answers, strict=True)] == [True] * 4


def test_a_model_that_is_deleted_before_its_turn_fails_the_job(
    held_place: Place, held: Held
) -> None:
    first = held_place.create()["name"]
    held.next_call().finish()
    tuned = held_place.finished(first)["tunedModel"]
    held_place.create()
    running = held.next_call()
    _, waiting = held_place.call("POST", f"v1/{HERE}/tuningJobs", continuing(tuned["model"]))

    delete(held_place, tuned)
    running.finish()
    failed = held_place.finished(waiting["name"])

    assert failed["state"] == "JOB_STATE_FAILED"
    assert failed["error"]["code"] == 9
    assert "does not exist" in failed["error"]["message"]


def test_a_model_that_is_deleted_meanwhile_gets_no_new_version(
    held_place: Place, held: Held
) -> None:
    first = held_place.create()["name"]
    held.next_call().finish()
    tuned = held_place.finished(first)["tunedModel"]
    _, job = held_place.call("POST", f"v1/{HERE}/tuningJobs", continuing(tuned["model"]))
    call = held.next_call()

    delete(held_place, tuned)
    call.finish()
    model = held_place.finished(job["name"])["tunedModel"]["model"]

    assert model.endswith("@1")
    assert model != tuned["model"]


def delete(place: Place, tuned: dict[str, Any]) -> None:
    _, endpoint = place.call("GET", f"v1/{tuned['endpoint']}")
    body = {"deployedModelId": endpoint["deployedModels"][0]["id"]}
    place.call("POST", f"v1/{tuned['endpoint']}:undeployModel", body)
    status, answer = place.call("DELETE", f"v1/{tuned['model'].partition('@')[0]}")
    assert status == 200, answer
