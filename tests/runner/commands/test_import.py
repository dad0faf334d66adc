"""`vertune import`: what it took in and what comes next; the plan has nothing to tune."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.test_adoption import LINE, job_of_somebody
from tests.runner.tuned import idle, place_of, planned, record_of


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with idle(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Repository:
    monkeypatch.setenv("PATH", str(tmp_path))  # without an engine
    return repository


def test_as_what_the_spec_asks_for_it_is_scored_and_served_and_the_plan_is_empty(
    provisioned: Repository, emulator: Emulator
) -> None:
    place = place_of(provisioned)
    place.bucket.blob("train.jsonl").upload_from_string(LINE * 20)
    job = job_of_somebody(place, emulator)
    provisioned.job("one")
    result = vertune(provisioned, "import", "one", "--job", job.name, "--as-desired")
    assert result.stderr.startswith(f"one: {job.name} is recorded as ")
    assert "one: tuned and served\n" in result.stderr
    assert result.stderr.endswith(
        "there is no Pulumi engine; `vertune doctor` says how to get it\n"
    )
    served = record_of(place, "one").served
    assert served is not None
    assert served.score is not None
    assert not planned(place)
    model = place.registry.model(job.tuned_model or "")
    assert model is not None
    assert "vertune-served" in model.aliases


def test_without_a_spec_it_is_recorded_and_what_serves_it_is_named(
    provisioned: Repository, emulator: Emulator
) -> None:
    place = place_of(provisioned)
    place.bucket.blob("train.jsonl").upload_from_string(LINE * 20)
    job = job_of_somebody(place, emulator)
    text = vertune(provisioned, "import", "theirs", "--model", str(job.tuned_model))
    (key,) = record_of(place, "theirs").entries
    assert text.exit_code == 0
    assert f"`vertune promote theirs {key[:12]}`" in text.stdout
    body = json.loads(
        vertune(provisioned, "import", "theirs", "--job", job.name, "-o", "json").stdout
    )
    assert (body["fingerprint"], body["state"]) == (key, "succeeded")
    assert body["inputs"]["dataset"] == "gs://vertune-local/train.jsonl"


@pytest.mark.parametrize("words", [(), ("--job", "1", "--model", "2")])
def test_one_of_the_two_must_be_given(provisioned: Repository, words: tuple[str, ...]) -> None:
    result = vertune(provisioned, "import", "one", *words)
    assert result.exit_code == 2
    assert "Give either --job or --model." in result.stderr


def test_a_name_that_no_spec_could_have_is_refused(provisioned: Repository) -> None:
    result = vertune(provisioned, "import", "One/Two", "--job", "1")
    assert result.exit_code == 1
    assert '"One/Two" is no name for a job' in result.stderr


def test_as_desired_needs_a_spec(provisioned: Repository, emulator: Emulator) -> None:
    place = place_of(provisioned)
    place.bucket.blob("train.jsonl").upload_from_string(LINE * 20)
    job = job_of_somebody(place)
    result = vertune(provisioned, "import", "one", "--job", job.name, "--as-desired")
    assert result.exit_code == 1
    assert "one: has no spec" in result.stderr
