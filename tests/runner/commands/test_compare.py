"""`vertune compare`: two stacks side by side, each with a bucket of its own."""

import json
from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from tests.conftest import STACK_SETTINGS, Repository
from tests.runner.commands.calls import vertune
from tests.runner.entries import entry


@pytest.fixture
def both(provisioned: Repository, emulator: Emulator) -> Repository:
    """The stack `local`, and `prod` in a project of its own."""
    project = "vertune-local-prod"
    text = STACK_SETTINGS.replace("vertune-local", project)
    (provisioned.root / "Pulumi.prod.yaml").write_text(text, "utf-8")
    storage.bucket(project, project, emulator.url).create(location="us-central1")
    return provisioned


def serve(repository: Repository, stack: str, name: str, fingerprint: str) -> None:
    ledger = Place(stack, repository.root).ledger
    model = f"projects/1/locations/us/models/{name}-{stack}@1"
    ledger.create(entry(name, fingerprint, state="succeeded", tuned_model=model))
    ledger.activate(name, fingerprint)


def test_two_stacks_that_serve_nothing_are_the_same(both: Repository) -> None:
    result = vertune(both, "compare", "local", "prod")
    assert (result.exit_code, result.stdout) == (0, "Neither local nor prod serves anything.\n")


def test_which_tuning_is_where_is_shown_and_told_by_the_exit_code(both: Repository) -> None:
    for stack in ("local", "prod"):
        serve(both, stack, "same", "a" * 64)
    assert vertune(both, "compare", "local", "prod").exit_code == 0
    serve(both, "local", "other", "b" * 64)
    serve(both, "prod", "other", "c" * 64)
    serve(both, "local", "new", "d" * 64)
    result = vertune(both, "compare", "local", "prod")
    assert result.exit_code == 3
    assert "3 names, 1 the same in both." in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if line.strip().startswith("other")]
    assert ("bbbbbbbbbbbb" in line, "cccccccccccc" in line, "differs" in line) == (True,) * 3
    assert "models/other-prod@1" in result.stdout


def test_programs_read_it_too(both: Repository) -> None:
    serve(both, "prod", "one", "a" * 64)
    result = vertune(both, "compare", "local", "prod", "-o", "json")
    (found,) = json.loads(result.stdout)
    assert (result.exit_code, found["same"], found["stacks"]["local"]) == (3, False, None)
    assert found["stacks"]["prod"]["fingerprint"] == "a" * 64
    assert "| one |" in vertune(both, "compare", "local", "prod", "-o", "markdown").stdout


def test_a_stack_that_is_not_there_is_said(both: Repository) -> None:
    result = vertune(both, "compare", "local", "prud")
    assert result.exit_code == 1
    assert 'did you mean "prod"?' in result.stderr


def test_what_one_of_them_cannot_be_asked_for_is_said_with_its_name(
    both: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = STACK_SETTINGS.replace('  vertune:emulator: "true"\n', "")
    (both.root / "Pulumi.cloud.yaml").write_text(text, "utf-8")
    (tmp_path / "key.json").write_text("no key")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    result = vertune(both, "compare", "local", "cloud")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("stack cloud: signing in with")
