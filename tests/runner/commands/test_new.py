"""`vertune new`: a spec that checks, and nothing that was there is lost."""

import typing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.shell_completion import ShellComplete

from jobs.runner import catalog, cli, spec, stack
from jobs.runner.commands import new
from jobs.runner.errors import VertuneError
from jobs.runner.spec import Task
from tests.conftest import Repository
from tests.runner.commands.calls import vertune


@pytest.mark.parametrize("task", typing.get_args(Task))
def test_what_is_written_checks_once_it_has_data(repository: Repository, task: str) -> None:
    result = vertune(repository, "new", "job", "fresh", "--task", task)
    repository.data("fresh", "train", ("a", "b"))
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


def test_what_has_data_is_not_asked_for_any(repository: Repository) -> None:
    repository.data("kept", "train", ("a", "b"))
    words = ("new", "job", "fresh", "--task", "chat", "--dataset")
    result = vertune(repository, *words, "datasets/kept/train.jsonl")
    assert result.stdout.endswith("Next:\n  vertune check --select fresh\n")


def test_by_default_it_is_the_cheapest_base_model_that_is_not_retired(
    repository: Repository,
) -> None:
    vertune(repository, "new", "job", "fresh", "--task", "chat")
    (file,) = spec.load(repository.root, "local")
    known = catalog.load().base_models
    today = datetime.now(UTC).date()
    prices = [f.price_usd for f in known.values() if f.price_usd and not f.retired(today)]
    assert known[file.spec.base_model].price_usd == min(prices)


def test_a_base_model_that_is_asked_for_is_taken(repository: Repository) -> None:
    vertune(
        repository, "new", "job", "fresh", "--task", "chat", "--base-model", "gemini-3.5-flash-lite"
    )
    (file,) = spec.load(repository.root, "local")
    assert file.spec.base_model == "gemini-3.5-flash-lite"


def test_a_retired_base_model_is_not_begun_with(repository: Repository) -> None:
    result = vertune(
        repository, "new", "job", "a", "--task", "chat", "--base-model", "gemini-2.5-flash"
    )
    assert result.exit_code == 1
    assert result.stderr == ("gemini-2.5-flash was retired on 2026-10-20; see `vertune models`\n")


def test_a_shell_completes_what_can_still_be_tuned() -> None:
    asked = ShellComplete(cli.main, {}, "vertune", "_VERTUNE_COMPLETE")
    said = [one.value for one in asked.get_completions(["new", "job", "--base-model"], "gemini-")]
    assert said == catalog.load().tunable(datetime.now(UTC).date())
    assert "gemini-2.5-flash" not in said


def test_without_any_base_model_left_a_name_is_asked_for() -> None:
    with pytest.raises(VertuneError, match="give --base-model"):
        new._cheapest(datetime.max.date())


def test_an_unknown_base_model_is_answered_with_the_nearest(repository: Repository) -> None:
    result = vertune(
        repository, "new", "job", "a", "--task", "chat", "--base-model", "gemini-3.5-flesh"
    )
    assert result.exit_code == 1
    assert 'did you mean "gemini-3.5-flash"?' in result.stderr
    assert not (repository.root / "jobs/a.yaml").exists()


@pytest.mark.parametrize("kind", ["yaml", "yml"])
def test_a_spec_that_is_there_is_left_alone(repository: Repository, kind: str) -> None:
    path = repository.root / "jobs" / f"a.{kind}"
    path.write_text("mine")
    result = vertune(repository, "new", "job", "a", "--task", "chat")
    assert result.exit_code == 1
    assert result.stderr == f"jobs/a.{kind} exists; choose another name or edit it\n"
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["A", "../a", "a/b", "a.b", "1a", "a-", "a" * 64])
def test_a_name_that_is_none_writes_nothing(repository: Repository, name: str) -> None:
    result = vertune(repository, "new", "job", name, "--task", "chat")
    assert result.exit_code == 1
    assert "is no name for a job" in result.stderr
    assert list((repository.root / "jobs").iterdir()) == []


@pytest.mark.parametrize(
    "dataset",
    ["datasets/x", "gs://bucket/a b.jsonl", "a: b", "# x", "no", "3", "[x]", "x\ntask: chat", "é"],
)
def test_any_dataset_is_written_as_the_text_it_is(repository: Repository, dataset: str) -> None:
    vertune(repository, "new", "job", "a", "--task", "classification", "--dataset", dataset)
    (file,) = spec.load(repository.root, "local")
    assert (file.spec.dataset, file.spec.task) == (dataset, "classification")


def test_a_task_that_is_none_is_a_wrong_call(repository: Repository) -> None:
    result = vertune(repository, "new", "job", "a", "--task", "translation")
    assert result.exit_code == 2
    assert "classification" in result.stderr


def test_a_folder_that_can_not_be_written_is_said(repository: Repository) -> None:
    folder = repository.root / "jobs"
    folder.rmdir()
    folder.symlink_to(Path("/dev/fd"))
    result = vertune(repository, "new", "job", "a", "--task", "chat")
    assert result.exit_code == 1
    assert result.stderr.startswith("jobs/a.yaml cannot be written: ")


# Stacks

DEV = """\
config:
  gcp:project: acme-ml-dev
  gcp:region: europe-west4
  vertune:bucket: acme-ml-dev-vertune
  vertune:labels: {environment: dev, team: search}
  vertune:maxUsd: 20
  vertune:github: {repositoryId: "1", ownerId: "2"}
"""


def test_a_new_stack_is_like_another_but_for_what_must_be_its_own(repository: Repository) -> None:
    (repository.root / "Pulumi.dev.yaml").write_text(DEV)
    result = vertune(repository, "new", "stack", "staging")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "Pulumi.staging.yaml is written: project acme-ml-staging, bucket acme-ml-staging-vertune.\n"
        "Not taken over, for they are of dev alone: vertune:github.\n"
        "Next: look at it, then\n"
        "  pulumi stack init staging && vertune --stack staging doctor\n"
    )
    text = (repository.root / "Pulumi.staging.yaml").read_text("utf-8")
    config = yaml.safe_load(text)["config"]
    assert config == {
        "gcp:project": "acme-ml-staging",
        "gcp:region": "europe-west4",
        "vertune:bucket": "acme-ml-staging-vertune",
        "vertune:labels": {"environment": "staging", "team": "search"},
        "vertune:maxUsd": 20,
    }
    assert stack.settings(repository.root, "staging").project == "acme-ml-staging"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dev"], "Pulumi.dev.yaml has gcp:project acme-ml-dev already; give --project"),
        (["dev", "--project", "acme-ml-other"], "Pulumi.dev.yaml exists; choose another name"),
        (["../x"], '"../x" is no name for a stack'),
        (["$(id)"], '"$(id)" is no name for a stack'),
        (["x", "--like", "prod"], 'there is no stack "prod"'),
        (["x", "--project", "acme-ml-dev"], "has gcp:project acme-ml-dev already"),
        (["x", "--project", "No!"], '"No!" is no id of a project'),
    ],
)
def test_a_stack_that_cannot_be_is_refused_and_nothing_is_written(
    repository: Repository, words: list[str], said: str
) -> None:
    (repository.root / "Pulumi.dev.yaml").write_text(DEV)
    before = sorted(repository.root.iterdir())
    result = vertune(repository, "new", "stack", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert sorted(repository.root.iterdir()) == before
    assert (repository.root / "Pulumi.dev.yaml").read_text() == DEV
