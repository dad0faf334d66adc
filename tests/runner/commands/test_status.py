"""`vertune status` over the wire: what is recorded is shown whatever else cannot be read."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from jobs.emulator.emulator import Emulator
from jobs.runner.commands import Place
from jobs.runner.commands.status import command
from jobs.runner.entry import Entry
from jobs.runner.vertex import Vertex
from tests.conftest import Repository
from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import Place as Served
from tests.runner.commands.calls import vertune
from tests.runner.entries import F1, F2, entry

TUNED = {
    "state": "succeeded",
    "tuned_model": "projects/0/locations/us/models/local-7@1",
    "finished": "2026-11-23T11:00:00+00:00",
}


def record(repository: Repository, *entries: Entry, active: bool = False) -> None:
    ledger = Place("local", repository.root).ledger
    for one in entries:
        ledger.create(one)
    if active:
        ledger.activate(entries[0].name, entries[0].fingerprint)


def rows(repository: Repository, *words: str, code: int = 0) -> list[dict[str, Any]]:
    result = vertune(repository, "status", *words, "-o", "json")
    assert result.exit_code == code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_spec_that_was_never_applied_is_queued(provisioned: Repository) -> None:
    provisioned.job("one")
    (row,) = rows(provisioned)
    assert (row["name"], row["sync"], row["health"]) == ("one", "out of sync", "queued")
    assert row["state"] is None
    assert "`vertune apply`" in vertune(provisioned, "status").stdout


def test_faulty_specs_and_data_are_named_and_keep_nothing_from_being_shown(
    provisioned: Repository,
) -> None:
    record(provisioned, entry("one", **TUNED), active=True)
    provisioned.job("two")
    provisioned.spec("one", "task: classification\nbase_modle: x\n")
    provisioned.spec("three")
    provisioned.spec(
        "far",
        provisioned.spec("three")
        .read_text("utf-8")
        .replace("datasets/three", "gs://no-such-bucket/train.jsonl"),
    )
    result = vertune(provisioned, "status", "-o", "json")
    found = {row["name"]: (row["sync"], row["health"]) for row in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert found == {
        "one": ("unknown", "served"),
        "two": ("out of sync", "queued"),
        "three": ("unknown", "unknown"),
        "far": ("unknown", "unknown"),
    }
    assert "jobs/one.yaml:2: base_modle" in result.stderr
    assert "datasets/three" in result.stderr
    assert "no-such-bucket" in result.stderr


def test_junk_in_the_ledger_is_named_and_the_rest_is_shown(provisioned: Repository) -> None:
    record(provisioned, entry("one", **TUNED), active=True)
    bucket = Place("local", provisioned.root).bucket
    for path in ("ledger/junk.json", "ledger/two/active.json", f"ledger/one/{F2}.json"):
        bucket.blob(path).upload_from_string("{")
    result = vertune(provisioned, "status")
    assert result.exit_code == 1
    assert "one: served" in result.stdout
    assert [line.split(" is no entry")[0] for line in result.stderr.splitlines()] == [
        "gs://vertune-local/ledger/junk.json",
        f"gs://vertune-local/ledger/one/{F2}.json",
        "gs://vertune-local/ledger/two/active.json",
    ]
    assert "junk.json is no entry" in vertune(provisioned, "plan").stderr


def test_names_can_be_chosen_and_others_are_not_read(provisioned: Repository) -> None:
    record(provisioned, entry("one", **TUNED), entry("two"))
    provisioned.spec("broken", "task: [\n")
    result = vertune(provisioned, "status", "--select", "two", "-o", "json")
    assert [row["name"] for row in json.loads(result.stdout)] == ["two"]
    assert result.stderr == ""


def test_a_submission_is_shown_with_its_holder(provisioned: Repository) -> None:
    record(provisioned, entry("one", holder="ci-4:77:ab", leased="2026-11-23T10:00:00+00:00"))
    said = vertune(provisioned, "status").stdout
    assert said.startswith("one: being submitted by ci-4:77:ab since 2026-11-23 10:00 UTC\n")


def test_every_recorded_tuning_is_history(provisioned: Repository) -> None:
    old = entry("one", F2, state="failed", error="No room.", created="2026-01-01T00:00:00+00:00")
    record(provisioned, entry("one", **TUNED), old, active=True)
    assert [row["fingerprint"] for row in rows(provisioned)] == [F1]
    assert [(row["fingerprint"], row["served"]) for row in rows(provisioned, "--history")] == [
        (F1, True),
        (F2, False),
    ]
    said = vertune(provisioned, "status", "--history").stdout
    assert F2[:12] in said
    assert "2026-01-01 00:00 UTC" in said
    assert vertune(provisioned, "status", "--history", "-o", "markdown").stdout.startswith("| name")


# Asking Vertex AI


JOBS = "projects/vertune-local/locations/us-central1/tuningJobs"


def test_jobs_under_way_show_how_far_they_are(provisioned: Repository, tmp_path: Path) -> None:
    held = Held(tmp_path / "cache")
    with Served(tmp_path / "state", held) as service:
        first, second = service.create(epochs=4)["name"], service.create()["name"]
        held.next_call().step(30, 120, 1)
        record(
            provisioned,
            entry("one", state="submitted", job=first),
            entry("two", state="submitted", job=second),
            entry("three", state="submitted", job=f"{JOBS}/local-404"),
        )
        place = Place("local", provisioned.root)
        place.__dict__["vertex"] = Vertex("vertune-local", "us-central1", service.url)
        result = CliRunner().invoke(command, ["--live", "-o", "json"], obj=place)
    found = {row["name"]: row for row in json.loads(result.stdout)}
    assert {name: row["health"] for name, row in found.items()} == {
        "one": "running",
        "two": "waiting for quota",
        "three": "missing",
    }
    progress = found["one"]["progress"]
    assert (progress["step"], progress["steps"], progress["percent"]) == (30, 120, 25)
    assert progress["remaining_seconds"] >= 0


def test_nobody_is_asked_about_what_has_ended(provisioned: Repository, emulator: Emulator) -> None:
    record(provisioned, entry("one", **TUNED))
    emulator.faults.write('- {path: "*/tuningJobs*", status: 403}', "rules")
    assert vertune(provisioned, "status", "--live").exit_code == 0


def test_a_service_that_refuses_hides_nothing_of_what_is_recorded(
    provisioned: Repository, emulator: Emulator
) -> None:
    record(provisioned, entry("one", state="submitted", job=f"{JOBS}/local-1"))
    emulator.faults.write('- {path: "*/tuningJobs*", status: 403}', "rules")
    result = vertune(provisioned, "status", "--live")
    assert result.exit_code == 1
    assert result.stdout.startswith("one: submitted\n")
    assert "403" in result.stderr


# Watching


def test_watching_ends_once_nothing_is_under_way(provisioned: Repository) -> None:
    record(provisioned, entry("one", **TUNED), active=True)
    result = vertune(provisioned, "status", "--watch")
    assert (result.exit_code, result.stdout) == (0, "one: served (forgotten)\n")


def test_what_is_watched_is_text(provisioned: Repository) -> None:
    for words in (["-o", "json"], ["--history"]):
        assert vertune(provisioned, "status", "--watch", *words).exit_code == 2


# A shell in the background tells its children to pass over Ctrl-C.
_HEEDING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
_HEEDING += "os.execv(sys.argv[1], sys.argv[1:])"


def test_watching_tells_of_changes_and_is_ended_by_ctrl_c(provisioned: Repository) -> None:
    record(provisioned, entry("one", holder="ci-4:77:ab"))
    vertune_ = str(Path(sys.prefix) / "bin" / "vertune")
    words = ["--root", str(provisioned.root), "status", "--watch"]
    with subprocess.Popen(
        [sys.executable, "-c", _HEEDING, vertune_, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        record(provisioned, entry("two", state="failed", error="No room."))
        second = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=30)
    assert first.startswith("one: being submitted by ci-4:77:ab")
    assert second == "two: failed: No room. (forgotten)\n"
    assert (process.returncode, rest, complaints) == (0, "", "")
