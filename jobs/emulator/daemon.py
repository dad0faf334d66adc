"""The emulator's daemon: started once for a folder, found by its lock, stopped, reset."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.emulator.lock import FolderLock
from jobs.emulator.serve import LOCK, PUBLISHED, EmulatorError

__all__ = ["EmulatorError", "Running", "reset", "running", "start", "stop"]

LOG = "server.log"

_ROOT = Path(__file__).resolve().parents[2]
_STARTING = "start.lock"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_KILL_SECONDS = 20.0
_LOG_LINES = 15


@dataclass(frozen=True)
class Running:
    """An emulator that serves `folder`, as it published itself."""

    folder: Path
    url: str
    pid: int
    started: str
    trainer: str
    max_tuning_jobs: int | None
    env: Mapping[str, str]
    path: tuple[str, ...]


def running(folder: Path) -> Running | None:
    """The emulator that holds the folder's lock; what a dead one left behind does not count."""
    if not (folder / LOCK).exists():
        return None
    lock = FolderLock(folder / LOCK)
    try:
        if lock.free():
            return None
        found = _published(folder)
        return found if found and found.pid == lock.holder() else None
    finally:
        lock.close()


def start(
    folder: Path,
    port: int = 0,
    trainer: str | None = None,
    root: Path = _ROOT,
    max_tuning_jobs: int | None = None,
) -> Running:
    """The folder's emulator, started if there is none; port 0 is its last one, or any.

    A trainer of None is the last one of the folder, or smollm2. With `max_tuning_jobs` unfinished
    ones, a project's next is refused; without, it waits.
    """
    folder = folder.resolve()
    with _alone(folder):
        if found := running(folder):
            return _unchanged(found, port, trainer, max_tuning_jobs)
        report = _spawn(folder, port, trainer, root, max_tuning_jobs)
        if "error" in report:
            raise EmulatorError(report["error"])
        started = running(folder)
    if started is None:
        raise EmulatorError(f"the emulator ended at once; its log says:\n{_log_tail(folder)}")
    return started


def stop(folder: Path) -> Running | None:
    """Ends the server and its worker and waits for it; what was running, if anything was."""
    folder = folder.resolve()
    with _alone(folder):
        return _stop(folder)


def reset(folder: Path) -> None:
    """Stops the emulator and removes its state, the local stack's with it."""
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / LOCK).exists():
        raise EmulatorError(f"{folder} is no emulator's folder; nothing was removed")
    with _alone(folder):
        _stop(folder)
        lock = FolderLock(folder / LOCK)
        try:
            if not lock.take():
                raise EmulatorError(
                    f"process {lock.holder()} still serves {folder}; nothing was removed"
                )
            _clear(folder)
        finally:
            lock.close()


def _stop(folder: Path) -> Running | None:
    found = running(folder)
    if found is None:
        return None
    lock = FolderLock(folder / LOCK)
    try:
        for sign, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
            with suppress(ProcessLookupError):
                os.kill(found.pid, sign)
            if lock.free(patience):
                return found
    finally:
        lock.close()
    raise EmulatorError(f"process {found.pid} does not end; its log is {folder / LOG}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One start, stop or reset of a folder at a time."""
    try:
        lock = FolderLock(folder / _STARTING)
    except OSError as error:
        raise EmulatorError(f"{folder} cannot hold an emulator: {error.strerror}") from error
    with lock:
        yield


def _unchanged(
    found: Running, port: int, trainer: str | None, max_tuning_jobs: int | None
) -> Running:
    if (
        (port and not found.url.endswith(f":{port}"))
        or trainer not in (None, found.trainer)
        or max_tuning_jobs not in (None, found.max_tuning_jobs)
    ):
        limit = found.max_tuning_jobs or "any number of"
        raise EmulatorError(
            f"the emulator already runs at {found.url} with trainer {found.trainer} for {limit}"
            " tuning jobs; stop it first with `vertune emulator stop`"
        )
    return found


def _spawn(
    folder: Path, port: int, trainer: str | None, root: Path, max_tuning_jobs: int | None
) -> dict[str, str]:
    """What the new server says of itself once it answers, or why it does not."""
    ours, theirs = os.pipe()
    # Not from the caller's folder, which may have a `jobs` of its own.
    command = [sys.executable, "-P", "-m", "jobs.emulator", "--ready", str(theirs)]
    command += ["--folder", str(folder), "--root", str(root), "--port", str(port)]
    command += ["--trainer", trainer] if trainer else []
    command += ["--max-tuning-jobs", str(max_tuning_jobs)] if max_tuning_jobs else []
    with os.fdopen(ours, "rb") as answer, (folder / LOG).open("ab") as log:
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
                pass_fds=[theirs],
                check=True,
            )
        finally:
            os.close(theirs)
        if not select.select([answer], [], [], _START_SECONDS)[0]:
            raise EmulatorError(f"the emulator does not get ready; its log is {folder / LOG}")
        line = answer.readline()
    if not line:
        raise EmulatorError(f"the emulator did not start; its log says:\n{_log_tail(folder)}")
    return dict(json.loads(line))


def _published(folder: Path) -> Running | None:
    try:
        found: dict[str, Any] = json.loads((folder / PUBLISHED).read_text("utf-8"))
        return Running(
            folder,
            str(found["url"]),
            int(found["pid"]),
            str(found["started"]),
            str(found["trainer"]),
            found.get("max_tuning_jobs"),
            dict(found["env"]),
            tuple(found["path"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _log_tail(folder: Path) -> str:
    lines = (folder / LOG).read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:])


def _clear(folder: Path) -> None:
    """Everything but the locks, which others may be waiting for."""
    for path in folder.iterdir():
        if path.name in (LOCK, _STARTING):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
