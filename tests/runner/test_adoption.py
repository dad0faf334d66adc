"""Adoption: what exists already is taken in honestly, and nothing is ever tuned for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from jobs.runner.adoption import Adoption
from jobs.runner.commands import Place
from jobs.runner.desired import Resolved
from jobs.runner.entry import Entry
from jobs.runner.errors import Passing, VertuneError
from jobs.runner.plan import Action
from jobs.runner.vertex import Job
from tests.conftest import Repository
from tests.emulator.vertex.place import example, jsonl
from tests.runner.asking import order
from tests.runner.tuned import (
    applied,
    begin,
    entries,
    finished,
    idle,
    place_of,
    planned,
    record_of,
    refused_at_each_call,
)

LINE = jsonl(example("one match", "sports")).decode()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with idle(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def place(provisioned: Repository) -> Place:
    place = place_of(provisioned)
    place.bucket.blob("train.jsonl").upload_from_string(LINE * 20)
    return place


def opened(place: Place, region: str = "us-central1", project: str = "vertune-local") -> Adoption:
    return Adoption("local", project, region, place.ledger, place.vertex, place.registry)


def job_of_somebody(place: Place, emulator: Emulator | None = None, epochs: int = 2) -> Job:
    """A job as a person submits it elsewhere; with the emulator given, one that has succeeded."""
    job = place.vertex.submit(order(labels={"team": "search"}, adapter_size=4, epochs=epochs))
    if emulator is None:
        return job
    begin(emulator)
    while not job.done:
        job = place.vertex.job(job.name)
    assert job.succeeded
    return job


def spec_of(place: Place, name: str) -> Resolved:
    (resolved,) = place.resolve([name])
    return resolved


def jobs(place: Place) -> int:
    return len(place.vertex.jobs({}))


def test_a_job_s_lineage_is_what_the_service_says(place: Place, emulator: Emulator) -> None:
    job = job_of_somebody(place, emulator)
    entry = opened(place).adopt("theirs", opened(place).job(job.name), None).entry
    assert entry.imported
    assert (entry.state, entry.job, entry.tuned_model) == ("succeeded", job.name, job.tuned_model)
    assert entry.endpoint == job.endpoint
    assert entry.created == job.created
    assert entry.inputs == {
        "method": "supervised",
        "base_model": "gemini-3.1-flash-lite",
        "hyperparameters": {"epochs": 2, "adapter_size": 4, "learning_rate_multiplier": 1.0},
        "dataset": "gs://vertune-local/train.jsonl",
        "continues": None,
    }
    assert entries(place, "theirs") == [entry]
    assert record_of(place, "theirs").active is None
    assert not planned(place)  # nothing asks for it, so nothing forgets it


def test_a_tuned_model_is_found_with_the_job_that_made_it(place: Place, emulator: Emulator) -> None:
    job = job_of_somebody(place, emulator)
    by_model = opened(place).model(job.tuned_model or "")
    assert by_model == opened(place).job(job.name.rpartition("/")[2])


def test_what_the_spec_asks_for_is_not_tuned_again(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    job = job_of_somebody(place, emulator)
    provisioned.job("one")
    entry = opened(place).adopt("one", opened(place).job(job.name), spec_of(place, "one")).entry
    assert entry.fingerprint == next(c.fingerprint for c in planned(place).changes)
    assert [change.action for change in planned(place).changes] == [Action.RESUME]  # is scored
    applied(place)
    assert record_of(place, "one").active == entry.fingerprint
    assert not planned(place)
    assert jobs(place) == 1


def test_a_job_under_way_is_gone_on_with_by_apply(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    job = job_of_somebody(place)
    provisioned.job("one")
    entry = opened(place).adopt("one", opened(place).job(job.name), spec_of(place, "one")).entry
    assert (entry.state, entry.job) == ("submitted", job.name)
    begin(emulator)
    applied(place)
    assert record_of(place, "one").active == entry.fingerprint
    assert jobs(place) == 1


def test_importing_it_again_is_the_same_as_once(place: Place, emulator: Emulator) -> None:
    job = job_of_somebody(place)
    adopted(place, job)
    job_of_somebody(place, emulator)
    while not place.vertex.job(job.name).done:
        pass
    first = adopted(place, job)
    assert first.state == "succeeded"
    assert adopted(place, job) == first


def adopted(place: Place, job: Job) -> Entry:
    return opened(place).adopt("theirs", opened(place).job(job.name), None).entry


def test_refused_at_any_call_the_same_command_once_more_finishes(
    place: Place, emulator: Emulator
) -> None:
    job = job_of_somebody(place, emulator)
    calls = 0
    for call, done in refused_at_each_call(emulator, lambda: adopted(place, job)):
        assert not done, call
        assert finished(lambda: adopted(place, job)), call
        (entry,) = entries(place, "theirs")
        read = place.ledger.read("theirs", entry.fingerprint)
        assert read is not None
        place.ledger.remove(*read)
        calls += 1
    assert calls >= 2 * 4  # job, model, list, record
    assert jobs(place) == 1


def test_a_name_in_use_is_not_mixed_with_another_s(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    first, second = job_of_somebody(place), job_of_somebody(place)
    adopted(place, first)
    with pytest.raises(VertuneError, match=f"has this tuning already, submitted, by {first.name}"):
        adopted(place, second)
    provisioned.job("theirs")
    asked = spec_of(place, "theirs")
    with pytest.raises(VertuneError, match=r"a tuning in flight, .*`vertune cancel theirs`"):
        opened(place).adopt("theirs", opened(place).job(second.name), asked)
    begin(emulator)
    applied(place)
    third = job_of_somebody(place, epochs=3)
    with pytest.raises(VertuneError, match="theirs is in use by other tunings"):
        adopted(place, third)


def test_another_base_model_than_the_spec_s_is_refused(
    place: Place, emulator: Emulator, provisioned: Repository
) -> None:
    job = job_of_somebody(place, emulator)
    provisioned.job("one")
    path = provisioned.root / "jobs/one.yaml"
    path.write_text(path.read_text("utf-8").replace("3.1-flash-lite", "3.5-flash"), "utf-8")
    with pytest.raises(VertuneError, match=r"tuned gemini-3\.1-flash-lite, and the spec of one"):
        opened(place).adopt("one", opened(place).job(job.name), spec_of(place, "one"))
    assert place.ledger.recorded() == {}


def test_over_a_failed_try_it_is_recorded_with_that_try_remembered(
    place: Place, emulator: Emulator
) -> None:
    job = job_of_somebody(place, emulator)
    before = adopted(place, job)
    read = place.ledger.read("theirs", before.fingerprint)
    assert read is not None
    failed = before.model_copy(update={"state": "failed", "job": "old", "tuned_model": None})
    place.ledger.update(failed, read[1])
    after = adopted(place, job)
    assert (after.state, after.job, after.previous) == ("succeeded", job.name, ["old"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("7", "is gone; Vertex AI has no such job in project vertune-local"),
        ("projects/1/locations/us-central1/models/7", r"give it whole"),
        ("projects/9/locations/us-central1/tuningJobs/7", "no such job in project vertune-local"),
        ("projects/other/locations/us-central1/tuningJobs/7", "is of another project"),
        ("projects/1/locations/europe-west4/tuningJobs/7", "this stack tunes in us-central1"),
    ],
)
def test_a_job_that_is_not_here_is_said_to_be_elsewhere(place: Place, given: str, why: str) -> None:
    with pytest.raises(VertuneError, match=why):
        opened(place).job(given)


def test_a_model_that_is_not_here_is_said_not_to_be(place: Place) -> None:
    with pytest.raises(VertuneError, match=r"there is no tuned model .* in project vertune-local"):
        opened(place).model("projects/1/locations/us/models/7@1")
    with pytest.raises(VertuneError, match="give it whole"):
        opened(place).model("7")


def test_what_was_cancelled_has_nothing_to_import(place: Place) -> None:
    job = job_of_somebody(place)
    place.vertex.cancel(job.name)
    with pytest.raises(VertuneError, match="ended as CANCELLED: there is nothing to import"):
        opened(place).job(job.name)


@pytest.mark.usefixtures("soon_done")
def test_a_service_that_is_away_is_no_missing_job(place: Place, emulator: Emulator) -> None:
    job = job_of_somebody(place)
    emulator.faults.write("[{path: '*/tuningJobs/*', status: 503}]", "here")
    with pytest.raises(Passing):
        opened(place).job(job.name)
