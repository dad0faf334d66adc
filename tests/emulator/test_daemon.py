"""The daemon with real processes: started once, found, stopped, killed, reset."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest

from jobs.emulator import daemon
from jobs.emulator.daemon import EmulatorError, Running

HERE = "v1/projects/vertune-local/locations/us-central1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a test may start a daemon; none is left behind."""
    folder = tmp_path / ".vertune" / "emulator"
    yield folder
    daemon.stop(folder)


def start(folder: Path, port: int = 0, trainer: str | None = "nearest") -> Running:
    return daemon.start(folder, port, trainer, root=folder.parents[1])


def quiet_port() -> int:
    """A free one that no socket gets by chance, as those get that ask for any."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port := random.randrange(20_000, 30_000)))
            return port


def call(found: Running, method: str, path: str, body: bytes | None = None) -> Any:
    request = Request(f"{found.url}/{path}", body, method=method)
    with urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def worker(found: Running) -> psutil.Process:
    """The trainer's process, brought into being by a question."""
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "x"}]}]}).encode()
    model = "publishers/google/models/gemini-3.1-flash-lite"
    call(found, "POST", f"{HERE.replace('us-central1', 'us')}/{model}:countTokens", body)
    (process,) = psutil.Process(found.pid).children()
    return process


def until(true: Callable[[], object], patience: float = 20.0) -> None:
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def test_a_started_emulator_answers_and_says_where(folder: Path) -> None:
    found = start(folder)

    published = json.loads((folder / "server.json").read_text())
    assert published["url"] == found.url
    assert published["pid"] == found.pid
    assert published["trainer"] == "nearest"
    assert published["env"]["VERTUNE_EMULATOR_URL"] == found.url
    assert call(found, "GET", f"{HERE}/tuningJobs") == {}
    assert daemon.running(folder) == found


def test_starting_again_changes_nothing(folder: Path) -> None:
    found = start(folder)

    assert start(folder) == found
    assert start(folder, trainer=None) == found


def test_two_starts_at_once_give_one_emulator(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: start(folder), range(4)))

    assert len({one.pid for one in found}) == 1


@pytest.mark.parametrize(("port", "trainer"), [(1, "nearest"), (0, "smollm2")])
def test_a_start_with_other_wishes_is_refused(folder: Path, port: int, trainer: str) -> None:
    found = start(folder)

    with pytest.raises(EmulatorError, match=f"already runs at {found.url}.*stop it first"):
        start(folder, port, trainer)


def test_a_quota_of_tuning_jobs_is_kept_and_cannot_be_changed_meanwhile(folder: Path) -> None:
    root = folder.parents[1]
    found = daemon.start(folder, trainer="nearest", root=root, max_tuning_jobs=3)

    assert found.max_tuning_jobs == 3
    assert daemon.start(folder, root=root) == found
    with pytest.raises(EmulatorError, match="for 3 tuning jobs; stop it first"):
        daemon.start(folder, root=root, max_tuning_jobs=4)


def test_it_outlives_its_starter_and_leaves_the_starters_session(folder: Path) -> None:
    found = start(folder)

    assert os.getsid(found.pid) != os.getsid(0)
    assert psutil.Process(found.pid).ppid() != os.getpid()


def test_it_listens_on_loopback_only(folder: Path) -> None:
    found = start(folder)

    listening = [
        connection.laddr.ip
        for connection in psutil.Process(found.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]

    assert listening == ["127.0.0.1"]


def test_stopping_ends_the_server_and_its_worker(folder: Path) -> None:
    found = start(folder)
    process = worker(found)

    stopped = daemon.stop(folder)

    assert stopped == found
    assert not process.is_running()
    assert not (folder / "server.json").exists()
    assert daemon.running(folder) is None
    assert daemon.stop(folder) is None


def test_a_server_that_does_not_listen_is_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "_STOP_SECONDS", 0.2)
    found = start(folder)
    process = worker(found)
    os.kill(found.pid, signal.SIGSTOP)

    daemon.stop(folder)

    assert daemon.running(folder) is None
    until(lambda: not process.is_running())


def test_the_state_and_the_port_outlive_a_stop(folder: Path) -> None:
    first = start(folder, quiet_port())
    call(first, "POST", "storage/v1/b?project=vertune-local", b'{"name": "kept"}')
    daemon.stop(folder)

    second = start(folder, trainer=None)

    assert second.url == first.url
    assert second.trainer == "nearest"
    assert call(second, "GET", "storage/v1/b/kept")["name"] == "kept"


def test_a_killed_emulator_is_not_taken_for_a_running_one(folder: Path) -> None:
    first = start(folder, quiet_port())
    process = worker(first)
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: daemon.running(folder) is None)
    assert (folder / "server.json").exists()

    second = start(folder)

    assert second.url == first.url
    assert second.pid != first.pid
    until(lambda: not process.is_running())


def test_a_reused_process_id_is_not_taken_for_the_emulator(folder: Path) -> None:
    found = start(folder)
    daemon.stop(folder)
    stale = {"url": found.url, "pid": os.getpid(), "started": found.started}
    stale |= {"trainer": "nearest", "env": {}, "path": []}
    (folder / "server.json").write_text(json.dumps(stale))

    assert daemon.running(folder) is None
    assert daemon.stop(folder) is None


def test_a_job_cut_off_by_a_kill_is_finished_after_the_restart(folder: Path) -> None:
    first = start(folder)
    examples = "".join(example(number) for number in range(3000)).encode()
    call(first, "POST", "storage/v1/b?project=vertune-local", b'{"name": "data"}')
    call(first, "POST", "upload/storage/v1/b/data/o?uploadType=media&name=t.jsonl", examples)
    spec = {"trainingDatasetUri": "gs://data/t.jsonl", "hyperParameters": {"epochCount": 2}}
    order = {"baseModel": "gemini-3.1-flash-lite", "supervisedTuningSpec": spec}
    job = call(first, "POST", f"{HERE}/tuningJobs", json.dumps(order).encode())
    path = f"v1/{job['name']}"
    until(lambda: int(call(first, "GET", path).get("tuningJobMetadata", {})
                      .get("completedStepCount", 0)) > 3)  # fmt: skip
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: daemon.running(folder) is None)

    second = start(folder)
    until(lambda: "endTime" in call(second, "GET", path), patience=60)

    listed = call(second, "GET", f"{HERE}/tuningJobs")["tuningJobs"]
    assert [(one["name"], one["state"]) for one in listed] == [(job["name"], "JOB_STATE_SUCCEEDED")]


def example(number: int) -> str:
    contents = [
        {"role": "user", "parts": [{"text": f"prompt {number} of many words {number % 7}"}]},
        {"role": "model", "parts": [{"text": f"answer {number}"}]},
    ]
    return json.dumps({"contents": contents}) + "\n"


def test_a_port_in_use_is_named_with_what_to_do(folder: Path) -> None:
    port = quiet_port()
    taken = socket.create_server(("127.0.0.1", port))
    with taken, pytest.raises(EmulatorError, match=f"port {port} .*--port"):
        start(folder, port)

    assert start(folder, port).url.endswith(f":{port}")


def test_a_remembered_port_that_was_taken_meanwhile_is_replaced(folder: Path) -> None:
    port = quiet_port()
    first = start(folder, port)
    daemon.stop(folder)

    with socket.create_server(("127.0.0.1", port)):
        second = start(folder)

    assert second.url != first.url


def test_an_unknown_trainer_is_named_with_those_there_are(folder: Path) -> None:
    with pytest.raises(EmulatorError, match=r"gpt.*smollm2"):
        start(folder, trainer="gpt")


def test_a_start_that_fails_shows_the_log(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "state.db").write_bytes(b"not a database, whatever one does" * 100)

    with pytest.raises(EmulatorError, match=r"(?s)its log says:.*not a database"):
        start(folder)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmulatorError, match="cannot hold an emulator"):
        daemon.start(tmp_path / "file" / "emulator")


def test_a_second_server_on_the_folder_is_refused(folder: Path) -> None:
    found = start(folder)

    ended = foreground(folder)
    said, _ = ended.communicate(timeout=30)

    assert ended.returncode == 1
    assert f"another emulator (process {found.pid})" in said
    assert daemon.running(folder) == found


def test_a_server_in_the_foreground_is_found_and_ends_with_ctrl_c(folder: Path) -> None:
    process = foreground(folder, "--trainer", "nearest")
    assert process.stdout
    url = process.stdout.readline().strip()
    found = daemon.running(folder)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert found
    assert (found.url, found.pid) == (url, process.pid)
    assert process.returncode == 0
    assert daemon.running(folder) is None


def foreground(folder: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "jobs.emulator", "--folder", str(folder), *more]
    command += ["--root", str(folder.parents[1])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_a_reset_stops_it_and_removes_its_state(folder: Path) -> None:
    first = start(folder)
    call(first, "POST", "storage/v1/b?project=vertune-local", b'{"name": "gone"}')
    (folder / "pulumi" / "stack.json").write_text("{}")

    daemon.reset(folder)
    left = sorted(path.name for path in folder.iterdir())
    second = start(folder)

    assert left == ["lock", "start.lock"]
    until(lambda: not psutil.pid_exists(first.pid))
    assert call(second, "GET", "storage/v1/b?project=vertune-local").get("items", []) == []


def test_a_reset_of_nothing_is_fine(folder: Path) -> None:
    daemon.reset(folder)

    assert daemon.running(folder) is None


def test_a_reset_spares_a_folder_that_is_no_emulators(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").touch()

    with pytest.raises(EmulatorError, match="nothing was removed"):
        daemon.reset(tmp_path)

    assert (tmp_path / "precious.txt").exists()
