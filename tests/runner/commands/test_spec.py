"""`vertune spec`: a spec as one stack sees it."""

import json

from tests.conftest import Repository
from tests.runner.commands.calls import vertune

SPEC = """\
task: chat
base_model: gemini-3.1-flash-lite
dataset: datasets/one
environments: [local]
"""


def test_it_shows_what_is_written_and_with_resolved_all_of_it(repository: Repository) -> None:
    repository.spec("one", SPEC)
    written = vertune(repository, "spec", "one").stdout
    assert "jobs/one.yaml:2" in written
    assert "default" not in written
    resolved = vertune(repository, "spec", "one", "--resolved").stdout
    assert "default of the task" in resolved
    assert "one on local" in resolved


def test_as_json_it_names_the_stack(repository: Repository) -> None:
    repository.spec("one", SPEC)
    body = json.loads(vertune(repository, "spec", "one", "-o", "json").stdout)
    assert (body["stack"], body["spec"]) == ("local", "one")
    first = {"key": "task", "value": "chat", "origin": "jobs/one.yaml:1"}
    assert body["values"][0] == first


def test_what_is_for_another_stack_or_nowhere_is_said(repository: Repository) -> None:
    repository.spec("one", SPEC.replace("[local]", "[dev]"))
    (repository.root / "Pulumi.dev.yaml").touch()
    elsewhere = vertune(repository, "spec", "one")
    assert (elsewhere.exit_code, elsewhere.stdout) == (1, "")
    assert elsewhere.stderr == "one is not meant for stack local (its `environments`)\n"
    unknown = vertune(repository, "spec", "onne")
    assert unknown.exit_code == 1
    assert 'has no spec; did you mean "one"?' in unknown.stderr
