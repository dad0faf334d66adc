"""GitLab's pipeline: that GitLab takes it, what each event runs, and who gets a token."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.emulator.access import expressions
from tests.workflows import pipeline
from tests.workflows.files import ROOT
from tests.workflows.typed import taken

JOBS = pipeline.jobs()


def valid(file: Path) -> tuple[int, str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    schema = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    ran = subprocess.run([program, *schema, file], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


def test_gitlabs_own_schema_takes_it_and_finds_what_is_wrong(tmp_path: Path) -> None:
    assert valid(pipeline.FILE)[0] == 0
    wrong = pipeline.FILE.read_text("utf-8").replace("resource_group: apply-dev", "retry: never")
    (tmp_path / "wrong.yml").write_text(wrong, "utf-8")
    code, said = valid(tmp_path / "wrong.yml")
    assert (code, "retry" in said) == (1, True)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("merge request", {"check", "tests", "plan dev", "plan prod"}),
        ("fork", {"check", "tests", "plan fork", "trial"}),
        (
            "push",
            {"plan merged dev", "plan merged prod", "apply dev", "apply prod", "snapshot"},
        ),
        ("another branch", set()),
        ("schedule", {"continue dev", "continue prod", "snapshot"}),
        ("drift", {"drift dev", "drift prod", "snapshot"}),
    ],
)
def test_an_event_runs_what_it_should_and_nothing_else(event: str, expected: set[str]) -> None:
    assert pipeline.of(event) == expected


def test_a_fork_asks_for_no_token() -> None:
    assert [name for name in pipeline.of("fork") if "id_tokens" in JOBS[name]] == []


@pytest.mark.parametrize("name", sorted(JOBS))
def test_who_acts_is_the_tuner_of_the_protected_branch_one_at_a_time(name: str) -> None:
    acts = JOBS[name].get("variables", {}).get("ACCOUNT") == "vertune-tuner"
    assert acts == name.startswith(("apply", "continue"))
    assert acts == ("resource_group" in JOBS[name])
    assert not acts or name not in pipeline.of("merge request") | pipeline.of("another branch")
    assert ("environment" in JOBS[name]) == name.startswith("apply")


def test_what_is_applied_is_the_newest_commit_after_its_plan_and_after_dev() -> None:
    for stack in ("dev", "prod"):
        body = JOBS[f"apply {stack}"]
        fetch, newest = [line for line in pipeline.lines(body) if line.startswith("git ")]
        assert fetch.startswith("git fetch")
        assert newest.startswith("git merge-base --is-ancestor")
        assert f"plan merged {stack}" in body["needs"]
    assert "apply dev" in JOBS["apply prod"]["needs"]


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_line_is_one_command_that_a_person_can_type(name: str) -> None:
    for line in pipeline.lines(JOBS[name]):
        command = re.split(r" (?:>|\|) ", line)[0]
        words = shlex.split(command)
        if words[0] == "vertune":
            taken(words[1:])
        else:
            assert words[0] in {"curl", "eval", "export", "git", "make", "printf", "pulumi"}


OURS = {"project_id": "NUMBER", "namespace_id": "NUMBER", "ref": "main", "ref_type": "branch"}
PUSH = {**OURS, "ref_protected": "true", "pipeline_source": "push"}


def told(option: str) -> str:
    """An expression that docs/workflows.md gives to the provider."""
    page = (ROOT / "docs/workflows.md").read_text("utf-8")
    (found,) = re.findall(rf'--attribute-{option} "(.*)"', page)
    return str(found)


@pytest.mark.parametrize(
    ("claims", "may"),
    [
        (PUSH, "tune"),
        (PUSH | {"pipeline_source": "schedule"}, "tune"),
        (PUSH | {"pipeline_source": "merge_request_event", "ref": "feature"}, "plan"),
        (PUSH | {"pipeline_source": "merge_request_event"}, "plan"),
        (PUSH | {"ref": "feature"}, "nothing"),
        (PUSH | {"ref_type": "tag"}, "nothing"),
        (PUSH | {"ref_protected": "false"}, "nothing"),
        (PUSH | {"pipeline_source": "trigger"}, "nothing"),
    ],
)
def test_the_provider_that_is_made_by_hand_lets_in_whom_it_should(
    claims: dict[str, str], may: str
) -> None:
    mapping = told("mapping").partition("attribute.may=")[2]
    assert expressions.value(mapping, {"assertion": claims}) == may
    assert expressions.holds(told("condition"), {"assertion": claims})
    other = claims | {"project_id": "56"}
    assert not expressions.holds(told("condition"), {"assertion": other})
