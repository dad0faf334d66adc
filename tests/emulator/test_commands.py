"""`vertune emulator`, as a person types it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobs.emulator import daemon
from jobs.runner.cli import main
from tests.emulator.wire import Wire


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A repository as small as one can be."""
    (tmp_path / "Pulumi.yaml").write_text("name: vertune\nruntime: python\n")
    (tmp_path / "jobs").mkdir()
    yield tmp_path
    daemon.stop(tmp_path / ".vertune" / "emulator")


def run(root: Path, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["--root", str(root), "emulator", *words], input=typed)


def test_it_starts_once_and_says_so(root: Path) -> None:
    first, second = (run(root, "start", "--trainer", "nearest") for _ in range(2))

    assert first.exit_code == second.exit_code == 0
    assert first.stdout.startswith("The emulator runs at http://127.0.0.1:")
    assert second.stdout.startswith("The emulator already runs at http://127.0.0.1:")


def test_status_says_where_it_runs_or_what_to_do(root: Path) -> None:
    before = run(root, "status")
    run(root, "start", "--trainer", "nearest")
    after = run(root, "status")

    assert before.exit_code == 1
    assert "vertune emulator start" in before.stderr
    assert after.exit_code == 0
    assert "nearest" in after.stdout


def test_status_can_be_read_by_programs(root: Path) -> None:
    run(root, "start", "--trainer", "nearest")

    facts = json.loads(run(root, "status", "-o", "json").stdout)

    assert facts.keys() == {"url", "process", "started", "trainer", "max_tuning_jobs", "folder"}
    assert facts["trainer"] == "nearest"


def test_env_prints_exports_and_nothing_else(root: Path) -> None:
    run(root, "start", "--trainer", "nearest")

    ours = run(root, "env").stdout.splitlines()
    genuine = run(root, "env", "--genuine-provider").stdout.splitlines()

    assert all(line.startswith("export ") for line in ours + genuine)
    assert {"HTTPS_PROXY"} == {line.split()[1].partition("=")[0] for line in genuine} - {
        line.split()[1].partition("=")[0] for line in ours
    }


def test_a_state_that_is_not_in_a_bucket_is_wrong_usage(root: Path) -> None:
    ended = run(root, "env", "--state", "file:///tmp")

    assert ended.exit_code == 2
    assert "--state is gs://BUCKET" in ended.stderr


def test_stop_says_what_it_stopped(root: Path) -> None:
    started = run(root, "start", "--trainer", "nearest").stdout
    url = started.split()[4]

    assert url in run(root, "stop").stdout
    assert run(root, "stop").stdout == "No emulator was running.\n"


def test_faults_are_set_listed_and_cleared(root: Path) -> None:
    url = run(root, "start", "--trainer", "nearest").stdout.split()[4]
    file = root / "mine.yaml"
    file.write_text('- {name: down, path: "/v1/*", status: 503}')

    none = run(root, "faults")
    written = run(root, "faults", "--set", str(file))
    refused = Wire(url).ask("GET", "/v1/projects/vertune-local")[0]
    listed = run(root, "faults", "-o", "json")
    cleared = run(root, "faults", "--clear")
    served = Wire(url).ask("GET", "/v1/projects/vertune-local")[0]

    assert none.stdout == cleared.stdout == "No rules: no request fails on purpose.\n"
    assert "path: /v1/*, status: 503" in written.stdout
    assert (refused, served) == (503, 200)
    (rule,) = json.loads(listed.stdout)
    assert rule == {
        "name": "down",
        "path": "/v1/*",
        "status": 503,
        "seen": 1,
        "hits": 1,
        "held": 0,
    }


def test_faults_that_are_none_are_refused_with_file_and_line(root: Path) -> None:
    run(root, "start", "--trainer", "nearest")
    file = root / "mine.yaml"
    file.write_text("- status: 503\n  cutt: fin\n- status: 20")

    result = run(root, "faults", "--set", str(file))
    both = run(root, "faults", "--set", str(file), "--clear")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{file}:2: rule 1: cutt: unknown; did you mean cut?",
        f"{file}:3: rule 2: status: must be a status from 400 to 599",
    ]
    assert both.exit_code == 2


def test_reset_asks_first(root: Path) -> None:
    run(root, "start", "--trainer", "nearest")
    folder = root / ".vertune" / "emulator"

    refused = run(root, "reset", typed="n\n")
    kept = (folder / "state.db").exists()
    done = run(root, "reset", "--yes")

    assert refused.exit_code == 1
    assert kept
    assert done.exit_code == 0
    assert sorted(os.listdir(folder)) == ["lock", "start.lock"]


def test_what_goes_wrong_is_one_sentence_without_a_traceback(root: Path) -> None:
    result = run(root, "start", "--trainer", "gpt")

    assert result.exit_code == 1
    assert result.stderr == 'no trainer named "gpt"; there are: smollm2, nearest\n'
    assert "Traceback" not in result.output
