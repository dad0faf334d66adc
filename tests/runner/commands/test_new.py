"""`vertune new`: a spec that checks, and nothing that was there is lost."""

import typing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.runner import catalog, spec
from jobs.runner.commands import new
from jobs.runner.errors import VertuneError
from jobs.runner.spec import Task
from tests.conftest import Repository
from tests.runner.commands.calls import vertune


@pytest.mark.parametrize("task", typing.get_args(Task))
def test_what_is_written_checks_once_it_has_data(repository: Repository, task: str) -> None:
    repository.data("fresh", "train", ("a", "b"))
    result = vertune(repository, "new", "fresh", "--task", task)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "jobs/fresh.yaml is written.\n"
        "Next: put examples into datasets/fresh (train, validation and test.jsonl), then\n"
        "  vertune check --select fresh\n"
    )
    assert vertune(repository, "check").exit_code == 0
    (file,) = spec.load(repository.root, "local")
    assert file.spec.task == task
    assert file.spec.dataset == "datasets/fresh"


def test_by_default_it_is_the_cheapest_base_model_that_is_not_retired(
    repository: Repository,
) -> None:
    vertune(repository, "new", "fresh", "--task", "chat")
    (file,) = spec.load(repository.root, "local")
    known = catalog.load().base_models
    today = datetime.now(UTC).date()
    prices = [f.price_usd for f in known.values() if f.price_usd and not f.retired(today)]
    assert known[file.spec.base_model].price_usd == min(prices)


def test_a_base_model_that_is_asked_for_is_taken(repository: Repository) -> None:
    vertune(repository, "new", "fresh", "--task", "chat", "--base-model", "gemini-3.5-flash-lite")
    (file,) = spec.load(repository.root, "local")
    assert file.spec.base_model == "gemini-3.5-flash-lite"


def test_a_retired_base_model_is_not_begun_with(repository: Repository) -> None:
    result = vertune(repository, "new", "a", "--task", "chat", "--base-model", "gemini-2.5-flash")
    assert result.exit_code == 1
    assert result.stderr == ("gemini-2.5-flash was retired on 2026-10-20; see `vertune models`\n")


def test_without_any_base_model_left_a_name_is_asked_for() -> None:
    with pytest.raises(VertuneError, match="give --base-model"):
        new._cheapest(datetime.max.date())


def test_an_unknown_base_model_is_answered_with_the_nearest(repository: Repository) -> None:
    result = vertune(repository, "new", "a", "--task", "chat", "--base-model", "gemini-3.5-flesh")
    assert result.exit_code == 1
    assert 'did you mean "gemini-3.5-flash"?' in result.stderr
    assert not (repository.root / "jobs/a.yaml").exists()


@pytest.mark.parametrize("kind", ["yaml", "yml"])
def test_a_spec_that_is_there_is_left_alone(repository: Repository, kind: str) -> None:
    path = repository.root / "jobs" / f"a.{kind}"
    path.write_text("mine")
    result = vertune(repository, "new", "a", "--task", "chat")
    assert result.exit_code == 1
    assert result.stderr == f"jobs/a.{kind} exists; choose another name or edit it\n"
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["A", "../a", "a/b", "a.b", "1a", "a-", "a" * 64])
def test_a_name_that_is_none_writes_nothing(repository: Repository, name: str) -> None:
    result = vertune(repository, "new", name, "--task", "chat")
    assert result.exit_code == 1
    assert "is no name for a job" in result.stderr
    assert list((repository.root / "jobs").iterdir()) == []


@pytest.mark.parametrize(
    "dataset",
    ["datasets/x", "gs://bucket/a b.jsonl", "a: b", "# x", "no", "3", "[x]", "x\ntask: chat", "é"],
)
def test_any_dataset_is_written_as_the_text_it_is(repository: Repository, dataset: str) -> None:
    vertune(repository, "new", "a", "--task", "classification", "--dataset", dataset)
    (file,) = spec.load(repository.root, "local")
    assert (file.spec.dataset, file.spec.task) == (dataset, "classification")


def test_a_task_that_is_none_is_a_wrong_call(repository: Repository) -> None:
    result = vertune(repository, "new", "a", "--task", "translation")
    assert result.exit_code == 2
    assert "classification" in result.stderr


def test_a_folder_that_can_not_be_written_is_said(repository: Repository) -> None:
    folder = repository.root / "jobs"
    folder.rmdir()
    folder.symlink_to(Path("/dev/fd"))
    result = vertune(repository, "new", "a", "--task", "chat")
    assert result.exit_code == 1
    assert result.stderr.startswith("jobs/a.yaml cannot be written: ")
