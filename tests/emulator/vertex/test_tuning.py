"""Tuning over time: states as work proceeds, the queue, cancels, deaths and restarts."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from jobs.emulator.trainer.base import Conversation, Settings, Step
from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient
from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import (
    HERE,
    PROJECT,
    TRAIN,
    Place,
    example,
    headlines,
    jsonl,
    order,
    until,
)


def test_a_job_moves_through_its_states_as_work_is_done(held_place: Place, held: Held) -> None:
    created = held_place.create(epochs=2)
    call = held.next_call()
    running = held_place.job(created["name"])
    call.step(1, 4, 1)
    stepped = held_place.job(created["name"])
    call.step(2, 4, 1, "1")
    call.step(3, 4, 2)
    call.step(4, 4, 2, "2")
    call.future.set_result(None)
    finished = held_place.finished(created["name"])

    assert created["state"] == "JOB_STATE_QUEUED"
    assert "startTime" not in created
    assert running["state"] == "JOB_STATE_RUNNING"
    assert running["tuningJobState"] == "TUNING_JOB_STATE_TUNING"
    assert stepped["tuningJobMetadata"] == {"completedEpochCount": "0", "completedStepCount": "1"}
    assert stepped["tuningDataStats"]["supervisedTuningDataStats"]["tuningStepCount"] == "4"
    assert finished["state"] == "JOB_STATE_SUCCEEDED"
    assert finished["tuningJobMetadata"] == {"completedEpochCount": "2", "completedStepCount": "4"}
    times = [finished[f"{name}Time"] for name in ("create", "start", "end", "update")]
    assert times == sorted(times)


def test_the_trainer_gets_the_examples_and_the_settings(held_place: Place, held: Held) -> None:
    held_place.objects["gs://data/validation.jsonl"] = headlines(3)
    spec = {
        "validationDatasetUri": "gs://data/validation.jsonl",
        "hyperParameters": {"epochCount": 4, "adapterSize": 4, "learningRateMultiplier": 0.5},
    }

    held_place.create(spec=spec)
    call = held.next_call()

    assert (len(call.examples), len(call.validation)) == (12, 3)
    settings = call.settings
    assert (settings.epochs, settings.adapter_size) == (4, 16)
    assert settings.learning_rate_multiplier == 0.5


def test_a_second_job_waits_for_quota_while_the_first_runs(held_place: Place, held: Held) -> None:
    first = held_place.create()["name"]
    second = held_place.create()
    call = held.next_call()

    assert second["tuningJobState"] == "TUNING_JOB_STATE_WAITING_FOR_QUOTA"
    assert held_place.job(second["name"])["state"] == "JOB_STATE_QUEUED"
    call.finish()
    held_place.finished(first)
    assert held.next_call().job == second["name"]


def test_a_job_beyond_a_quota_is_refused_until_another_has_ended(
    tmp_path: Path, held: Held
) -> None:
    with Place(tmp_path / "state", held, quota=2) as place:
        first, second = place.create()["name"], place.create()["name"]
        europe = HERE.replace("us-central1", "europe-west4")
        refused = [
            place.call("POST", f"v1/{where}/tuningJobs", order()) for where in (HERE, europe)
        ]
        elsewhere = HERE.replace(PROJECT, "other")
        status, _ = place.call("POST", f"v1/{elsewhere}/tuningJobs", order())
        place.call("POST", f"v1/{second}:cancel")
        held.next_call().finish()
        place.finished(first)
        third = place.create()["name"]

        assert [code for code, _ in refused] == [429, 429]
        assert {answer["error"]["status"] for _, answer in refused} == {"RESOURCE_EXHAUSTED"}
        assert "quota metrics exceed quota limits" in refused[0][1]["error"]["message"]
        assert status == 200
        listed = place.call("GET", f"v1/{HERE}/tuningJobs")[1]["tuningJobs"]
        assert [job["name"] for job in listed] == [third, second, first]


def test_jobs_are_taken_in_the_order_they_came(held_place: Place, held: Held) -> None:
    names = [held_place.create()["name"] for _ in range(4)]

    taken = []
    for _ in names:
        call = held.next_call()
        taken.append(call.job)
        call.finish()

    assert taken == names


def test_as_many_jobs_run_at_once_as_the_quota_allows(tmp_path: Path, held: Held) -> None:
    with Place(tmp_path / "state", held, concurrent_jobs=2) as place:
        names = {place.create()["name"] for _ in range(3)}
        at_once = {held.next_call().job, held.next_call().job}

        (waiting,) = names - at_once
        assert place.job(waiting)["state"] == "JOB_STATE_QUEUED"


def test_a_queued_job_is_cancelled_and_never_tuned(held_place: Place, held: Held) -> None:
    first, second, third = (held_place.create()["name"] for _ in range(3))
    call = held.next_call()

    held_place.call("POST", f"v1/{second}:cancel", {})
    job = held_place.job(second)
    call.finish()

    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_CANCELLED", 1)
    assert held.next_call().job == third
    assert held_place.job(first)["state"] == "JOB_STATE_SUCCEEDED"


def test_a_running_job_is_cancelling_until_the_trainer_lets_go(
    held_place: Place, held: Held
) -> None:
    held.deaf = True
    name = held_place.create()["name"]
    held.next_call()

    answers = [held_place.call("POST", f"v1/{name}:cancel") for _ in range(2)]
    cancelling = held_place.job(name)["state"]
    held.deaf = False
    held.cancel(name)

    assert answers == [(200, {}), (200, {})]
    assert cancelling == "JOB_STATE_CANCELLING"
    assert held_place.finished(name)["state"] == "JOB_STATE_CANCELLED"


def test_a_cancel_that_comes_too_late_leaves_a_success(held_place: Place, held: Held) -> None:
    held.deaf = True
    name = held_place.create()["name"]
    call = held.next_call()

    held_place.call("POST", f"v1/{name}:cancel", {})
    call.finish()

    assert held_place.finished(name)["state"] == "JOB_STATE_SUCCEEDED"


def test_a_job_cancelled_while_its_dataset_is_read_does_not_run(
    held_place: Place, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    count_tokens = held.count_tokens

    def cancelled_meanwhile(conversations: Sequence[Conversation]) -> list[int]:
        until(lambda: names, bool)
        held_place.call("POST", f"v1/{names[0]}:cancel", {})
        return count_tokens(conversations)

    monkeypatch.setattr(held, "count_tokens", cancelled_meanwhile)
    names.append(held_place.create()["name"])

    assert held_place.finished(names[0])["state"] == "JOB_STATE_CANCELLED"
    assert held.asked.empty()


def test_a_job_cut_off_starts_again_under_its_name(tmp_path: Path) -> None:
    with Place(tmp_path / "state", (before := Held(tmp_path))) as place:
        first, second = (place.create(epochs=3)["name"] for _ in range(2))
        before.next_call().step(1, 6, 1)

    with Place(tmp_path / "state", (after := Held(tmp_path))) as place:
        call = after.next_call()
        _, metrics = place.call("GET", f"emulator/v1/{first}:metrics")
        call.finish()
        after.next_call().finish()
        done = [place.finished(name)["state"] for name in (first, second)]
        _, listed = place.call("GET", f"v1/{first.rpartition('/')[0]}")

    assert call.job == first
    assert metrics == {"steps": []}
    assert done == ["JOB_STATE_SUCCEEDED"] * 2
    assert [job["name"] for job in listed["tuningJobs"]] == [second, first]


def test_a_job_that_was_being_cancelled_is_after_a_restart(tmp_path: Path) -> None:
    with Place(tmp_path / "state", (held := Held(tmp_path))) as place:
        held.deaf = True
        name = place.create()["name"]
        held.next_call()
        place.call("POST", f"v1/{name}:cancel", {})

    with Place(tmp_path / "state", Held(tmp_path)) as place:
        assert place.job(name)["state"] == "JOB_STATE_CANCELLED"


def test_a_finished_job_survives_a_restart(tmp_path: Path) -> None:
    with Place(tmp_path / "state", TrainerClient(NEAREST.name, tmp_path / "cache")) as place:
        job = place.tuned(epochs=1)

    with Place(tmp_path / "state", TrainerClient(NEAREST.name, tmp_path / "cache")) as place:
        again = place.job(job["name"])
        answer = place.client("us").models.generate_content(
            model=job["tunedModel"]["endpoint"], contents="election news 1"
        )

    assert again == job
    assert answer.text == "politics"


def test_a_worker_that_dies_once_costs_only_time(tmp_path: Path) -> None:
    trainer = Mortal(tmp_path / "cache", deaths=1)
    with Place(tmp_path / "state", trainer) as place:
        job = place.finished(place.create()["name"])

    assert job["state"] == "JOB_STATE_SUCCEEDED"


def test_a_worker_that_keeps_dying_fails_the_job(tmp_path: Path) -> None:
    trainer = Mortal(tmp_path / "cache", deaths=2)
    with Place(tmp_path / "state", trainer) as place:
        job = place.finished(place.create()["name"])
        next_job = place.finished(place.create()["name"])

    assert (job["state"], job["error"]["code"]) == ("JOB_STATE_FAILED", 13)
    assert "worker process ended" in job["error"]["message"]
    assert next_job["state"] == "JOB_STATE_SUCCEEDED"


def test_a_dataset_that_vanished_after_the_check_fails_the_job(
    held_place: Place, held: Held
) -> None:
    held_place.create()
    second = held_place.create()["name"]
    call = held.next_call()
    del held_place.objects[TRAIN]
    call.finish()

    error = held_place.finished(second)["error"]

    assert error["message"] == "gs://data/train.jsonl no longer exists."


def test_what_is_tuned_is_what_the_object_holds_when_the_job_starts(
    held_place: Place, held: Held
) -> None:
    held_place.create()
    held_place.create()
    call = held.next_call()
    held_place.objects[TRAIN] = jsonl(example("a", "b"))
    call.finish()

    assert len(held.next_call().examples) == 1


@pytest.mark.parametrize("last_only", [False, True])
def test_every_checkpoint_has_an_endpoint_unless_only_the_last_is_exported(
    place: Place, last_only: bool
) -> None:
    job = place.tuned(epochs=3, spec={"exportLastCheckpointOnly": last_only})

    checkpoints = job["tunedModel"].get("checkpoints", [])
    _, listed = place.call("GET", "v1/projects/0/locations/us/endpoints")
    assert len(listed["endpoints"]) == (1 if last_only else 3)
    assert [point["checkpointId"] for point in checkpoints] == (
        [] if last_only else ["1", "2", "3"]
    )
    endpoints = {endpoint["name"] for endpoint in listed["endpoints"]}
    assert job["tunedModel"]["endpoint"] in endpoints
    assert {point["endpoint"] for point in checkpoints} <= endpoints


class Mortal(TrainerClient):
    """Loses its worker to a kill in the first tunings."""

    def __init__(self, cache: Path, deaths: int) -> None:
        super().__init__(NEAREST.name, cache)
        self._deaths = deaths

    def tune(
        self,
        job_id: str,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
        on_step: Callable[[Step], None],
    ) -> "Future[None]":
        dies, worker = self._deaths > 0, self.worker_pid
        self._deaths -= dies
        assert worker is not None
        if dies:
            os.kill(worker, signal.SIGSTOP)  # it must not be done before it dies
        future = super().tune(job_id, examples, validation, settings, folder, on_step)
        if dies:
            os.kill(worker, signal.SIGKILL)
        return future
