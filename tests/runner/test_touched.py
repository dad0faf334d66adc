"""Touched: by a real git, which specs a branch changes and what it changes beside them."""

import subprocess
from pathlib import Path

import pytest

from jobs.runner import spec
from jobs.runner.errors import VertuneError
from jobs.runner.touched import Touched, touched
from tests.conftest import Repository
from tests.runner.commands.calls import vertune

_WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com")


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *_WHO, *words], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a change")


@pytest.fixture
def branch(repository: Repository) -> Repository:
    """On a branch of `main`, where three specs are."""
    for name in ("one", "two", "three"):
        repository.job(name)
    git(repository.root, "init", "--quiet", "--initial-branch", "main")
    commit(repository.root)
    git(repository.root, "switch", "--quiet", "--create", "change")
    return repository


def names(branch: Repository) -> frozenset[str]:
    files, _ = spec.read(branch.root, "local")
    return touched(branch.root, "main").names(files)


def test_a_branch_without_a_commit_touches_nothing(branch: Repository) -> None:
    assert touched(branch.root, "main") == Touched(frozenset())


def test_specs_are_touched_by_their_file_and_by_their_examples(branch: Repository) -> None:
    branch.spec("one", (branch.root / "jobs/one.yaml").read_text("utf-8") + "budget_usd: 2\n")
    branch.data("two", "train", ("a match", "sports"))
    branch.job("new")
    commit(branch.root)
    assert names(branch) == {"one", "two", "new"}


def test_a_spec_that_is_removed_is_touched(branch: Repository) -> None:
    (branch.root / "jobs/three.yaml").unlink()
    commit(branch.root)
    assert names(branch) == {"three"}


def test_what_came_to_the_other_branch_meanwhile_is_not_touched(branch: Repository) -> None:
    git(branch.root, "switch", "--quiet", "main")
    branch.job("meanwhile")
    commit(branch.root)
    git(branch.root, "switch", "--quiet", "change")
    branch.job("mine")
    commit(branch.root)
    assert names(branch) == {"mine"}


def test_a_dataset_whose_name_another_one_begins_with_is_another_one(branch: Repository) -> None:
    branch.data("one-more", "train", ("a match", "sports"))
    commit(branch.root)
    assert names(branch) == frozenset()


@pytest.mark.parametrize(
    ("paths", "mixed"),
    [
        ({"jobs/one.yaml", "datasets/one/train.jsonl"}, False),
        ({"infra/storage.py", ".github/workflows/apply.yml"}, False),
        ({"jobs/one.yaml", ".github/workflows/apply.yml"}, True),
        ({"datasets/one/train.jsonl", "infra/grants.py"}, True),
        ({"jobs/one.yaml", "Pulumi.prod.yaml"}, True),
        ({"jobs/one.yaml", ".gitlab-ci.yml"}, True),
        ({"jobs/one.yaml", "docs/gitlab-ci.yml"}, True),
        ({"jobs/one.yaml", "jobs/runner/apply.py"}, True),
        ({"jobs/one.yaml", "README.md"}, False),
    ],
)
def test_a_spec_together_with_the_pipeline_is_mixed(paths: set[str], mixed: bool) -> None:
    assert Touched(frozenset(paths)).mixed is mixed


@pytest.mark.parametrize("base", ["nowhere", "--output=x"])
def test_a_base_that_git_does_not_know_is_said(branch: Repository, base: str) -> None:
    with pytest.raises(VertuneError, match="git does not know what was changed since"):
        touched(branch.root, base)
    assert not (branch.root / "x").exists()


def test_a_plan_of_a_pull_request_shows_first_what_it_touches(
    provisioned: Repository, branch: Repository
) -> None:
    assert provisioned.root == branch.root
    branch.job("new")
    commit(branch.root)
    result = vertune(branch, "plan", "-o", "markdown", "--touched", "main")
    first, _, rest = result.stdout.partition("<details>")
    assert ("| new |" in first, "| one |" in first, "| one |" in rest) == (True, False, True)
    assert vertune(branch, "plan", "--touched", "main").exit_code == 2
