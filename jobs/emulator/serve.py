"""Serving: an emulator in the foreground, published in its folder while it answers."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jobs.emulator.credentials import write_key_file
from jobs.emulator.emulator import Emulator
from jobs.emulator.environment import (
    BACKEND,
    KEY_FILE,
    OWNER,
    environment,
    local_project,
    path_entries,
)
from jobs.emulator.lock import FolderLock

LOCK = "lock"
PUBLISHED = "server.json"
LAST = "last.json"  # the port and trainer to take again
DEFAULT_TRAINER = "smollm2"


class EmulatorError(Exception):
    """What is wrong with an emulator, and what to do next."""


def serve(
    folder: Path,
    root: Path,
    port: int,
    trainer: str | None,
    max_tuning_jobs: int | None,
    ready: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT; `ready` is called with the URL once it answers."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with _owned(folder):
        last = _last(folder)
        trainer = trainer or str(last.get("trainer") or DEFAULT_TRAINER)
        cache = root / ".vertune" / "cache"
        with _bound(folder, port, last.get("port"), trainer, cache, max_tuning_jobs) as emulator:
            _publish(folder, root, emulator.url, trainer, max_tuning_jobs)
            ready(emulator.url)
            stopped.wait()
            # Gone before the server is: nobody finds an address that does not answer.
            (folder / PUBLISHED).unlink(missing_ok=True)


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    lock = FolderLock(folder / LOCK)
    try:
        if not lock.take():
            raise EmulatorError(
                f"another emulator (process {lock.holder()}) serves {folder};"
                " stop it with `vertune emulator stop`"
            )
        lock.sign()
        (folder / PUBLISHED).unlink(missing_ok=True)
        yield
    finally:
        lock.close()


def _bound(
    folder: Path, port: int, last: object, trainer: str, cache: Path, max_tuning_jobs: int | None
) -> Emulator:
    """On the port that is asked for, else the last one if nobody took it, else any."""
    made = partial(Emulator, folder, trainer=trainer, cache=cache, max_tuning_jobs=max_tuning_jobs)
    try:
        if not port and isinstance(last, int):
            with suppress(OSError):  # tools keep their settings
                return made(last)
        return made(port)
    except OSError as error:
        raise EmulatorError(
            f"cannot listen on port {port} of 127.0.0.1 ({error.strerror}); end what uses it, or"
            " choose another with --port (without it, a free one is taken)"
        ) from error
    except ValueError as error:
        raise EmulatorError(str(error)) from error


def _publish(folder: Path, root: Path, url: str, trainer: str, max_tuning_jobs: int | None) -> None:
    project = local_project()
    write_key_file(folder / KEY_FILE, url, project, OWNER.format(project=project))
    (folder / BACKEND).mkdir(exist_ok=True)
    _write(
        folder / PUBLISHED,
        {
            "url": url,
            "pid": os.getpid(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "trainer": trainer,
            "max_tuning_jobs": max_tuning_jobs,
            "env": environment(url, folder, root),
            "path": path_entries(root),
        },
    )
    _write(folder / LAST, {"port": int(url.rpartition(":")[2]), "trainer": trainer})


def _last(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / LAST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, body: dict[str, Any]) -> None:
    """Whole or not at all: a reader may come at any time."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(body, indent=2) + "\n", "utf-8")
    partial.replace(path)
