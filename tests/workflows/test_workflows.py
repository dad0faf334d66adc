"""Workflows: what two linters and our own rules ask of them, and that each step can be typed."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.workflows.files import FILES, FOLDER, ROOT, Step, steps, workflow
from tests.workflows.linter import actionlint
from tests.workflows.typed import taken

STEPS = list(steps())
RUNS = [step for step in STEPS if step.run]
NAMES = [file.stem for file in FILES]
_TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
# What a job may be given, each for a reason that stands beside it.
_READ, _TOKEN, _ISSUES = {"contents": "read"}, {"id-token": "write"}, {"issues": "write"}
PERMISSIONS = {
    ("apply", "plan"): _READ | _TOKEN,
    ("apply", "apply"): _READ | _TOKEN | _ISSUES,
    ("apply", "continue"): _READ | _TOKEN | _ISSUES,
    ("drift", "drift"): _READ | _TOKEN | _ISSUES,
    ("pull-request", "check"): _READ | {"security-events": "write"},
    ("pull-request", "tests"): _READ,
    ("pull-request", "plan"): _READ | _TOKEN | {"pull-requests": "write"},
    ("pull-request", "trial"): _READ,
}
JOBS = [(name, job) for name in NAMES for job in workflow(name)["jobs"]]


def linted(folder: Path) -> tuple[int, str]:
    # Of its helpers neither is needed, and what a machine has must not decide.
    words = [str(actionlint()), "-shellcheck=", "-pyflakes=", "-no-color"]
    files = [str(path) for path in sorted(folder.glob("*.yml"))]
    ran = subprocess.run([*words, *files], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def audited(folder: Path) -> list[str]:
    program = Path(sys.executable).with_name("zizmor")
    words = [str(program), "--offline", "--no-config", "--format=json", "--no-exit-codes"]
    offline = {key: value for key, value in os.environ.items() if "TOKEN" not in key}
    ran = subprocess.run(
        [*words, *map(str, sorted(folder.glob("*.yml")))],
        capture_output=True,
        text=True,
        env=offline,
        check=True,
    )
    return [finding["ident"] for finding in json.loads(ran.stdout)]


def test_actionlint_finds_nothing() -> None:
    assert linted(FOLDER) == (0, "")


def test_zizmor_finds_nothing() -> None:
    assert audited(FOLDER) == []


def test_both_find_what_is_wrong(tmp_path: Path) -> None:
    text = (FOLDER / "pull-request.yml").read_text("utf-8")
    text = text.replace('--pull-request "$NUMBER"', "'${{ github.event.pull_request.title }}'")
    (tmp_path / "pull-request.yml").write_text(text.replace("matrix.stack", "matrix.stak"), "utf-8")
    code, said = linted(tmp_path)
    assert code == 1
    assert '"stak" is not defined' in said
    assert "github.event.pull_request.title" in said
    assert "template-injection" in audited(tmp_path)


@pytest.mark.parametrize("step", [step for step in STEPS if step.uses], ids=str)
def test_an_action_is_pinned_by_its_digest_with_its_version_beside_it(step: Step) -> None:
    text = (FOLDER / f"{step.workflow}.yml").read_text("utf-8")
    assert re.search(rf"uses: {re.escape(str(step.uses))} # v\d+\.\d+\.\d+$", text, re.M)
    assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", str(step.uses))


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_may_do_nothing_that_a_job_does_not_ask_for(name: str) -> None:
    body = workflow(name)
    assert body["permissions"] == {}
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & body["on"].keys()


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_may_do_what_it_must_and_ends(name: str, job: str) -> None:
    body = workflow(name)["jobs"][job]
    assert body["permissions"] == PERMISSIONS[name, job]
    assert body["timeout-minutes"] <= 60


def test_what_a_fork_runs_gets_no_credential() -> None:
    ours = "github.event.pull_request.head.repo.full_name == github.repository"
    for name, job in workflow("pull-request")["jobs"].items():
        writes = "id-token" in job["permissions"] or "pull-requests" in job["permissions"]
        assert not writes or ours in job["if"], name
    assert "secrets." not in "".join(file.read_text("utf-8") for file in FILES)


@pytest.mark.parametrize("step", [step for step in STEPS if "checkout" in str(step.uses)], ids=str)
def test_no_checkout_leaves_its_token_behind(step: Step) -> None:
    assert step.body["with"]["persist-credentials"] is False


@pytest.mark.parametrize("job", ["apply", "continue"])
def test_what_acts_does_so_one_at_a_time_for_a_stack(job: str) -> None:
    body = workflow("apply")["jobs"][job]
    assert body["concurrency"] == {
        "group": "apply-${{ matrix.stack }}",
        "cancel-in-progress": False,
    }


def test_what_is_merged_waits_for_its_environments_approval() -> None:
    assert workflow("apply")["jobs"]["apply"]["environment"] == "${{ matrix.stack }}"
    assert workflow("apply")["jobs"]["apply"]["needs"] == "plan"


@pytest.mark.parametrize("step", RUNS, ids=str)
def test_a_step_is_one_command_that_a_person_can_type(step: Step) -> None:
    run = str(step.run)
    assert "${{" not in run
    assert len(run.strip().splitlines()) == 1
    command, *rest = re.split(r" (?:>>?|\|) ", run)
    assert all(re.match(r"tee |\"\$GITHUB_\w+\"$|[\w.-]+$", one) for one in rest)
    words = shlex.split(command)
    match words[0]:
        case "vertune":
            taken(words[1:])
        case "make":
            assert words[1] in _TARGETS
        case "pulumi":
            assert words[1] in ("preview", "up", "stack")
        case "git":
            assert words[1] == "merge-base"
        case other:
            assert other == "printf"


@pytest.mark.parametrize("path", ["CODEOWNERS", "dependabot.yml", "pull_request_template.md"])
def test_what_stands_beside_the_workflows_is_there(path: str) -> None:
    text = (ROOT / ".github" / path).read_text("utf-8")
    if path == "dependabot.yml":
        kept = {one["package-ecosystem"] for one in yaml.safe_load(text)["updates"]}
        assert kept == {"github-actions", "uv", "gomod"}
    if path == "CODEOWNERS":
        owned = {line.split()[0] for line in text.splitlines() if line.startswith("/")}
        assert {"/.github/", "/infra/"} <= owned
        assert [one for one in owned if not list(ROOT.glob(one.strip("/")))] == []
