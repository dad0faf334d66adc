"""A running worker as its parent sees it: a process and a stream each way."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import BinaryIO

from jobs.emulator.trainer import messages
from jobs.emulator.trainer.base import WorkerDied
from jobs.emulator.trainer.calls import Calls, OnStep
from jobs.emulator.trainer.messages import Request

LOG = "trainer.log"


class Process:
    """Calls fail with WorkerDied, never hang, once the process is gone."""

    def __init__(self, trainer: str, cache: Path) -> None:
        self._log = cache / LOG
        self._popen, self._connection = _start(trainer, cache, self._log)
        self._writer: BinaryIO = self._connection.makefile("wb")
        self._writing = threading.Lock()
        self._calls = Calls()
        self._reading = threading.Thread(target=self._read, name="trainer-replies", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return not self._calls.ended

    def call(
        self, number: int, request: Request, on_step: OnStep | None = None
    ) -> "Future[object]":
        future = self._calls.add(number, on_step)
        self.send(request)
        return future

    def send(self, request: Request) -> None:
        try:
            with self._writing:
                messages.write(self._writer, request)
        except (OSError, ValueError):
            return  # A closed stream: the reading thread sees it too, and fails every call.

    def close(self) -> None:
        self._popen.kill()
        self._reading.join()

    def _read(self) -> None:
        with self._connection, self._connection.makefile("rb") as reader:
            try:
                while True:
                    self._calls.take(messages.read(reader))
            except (EOFError, OSError):
                self._end()

    def _end(self) -> None:
        code = self._popen.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        error = WorkerDied(f"the trainer's worker process ended ({how}); its log is {self._log}")
        self._calls.end(error)
        with self._writing:
            _close(self._writer)


def _start(trainer: str, cache: Path, log: Path) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    cache.mkdir(parents=True, exist_ok=True)
    ours, theirs = socket.socketpair()
    with theirs, log.open("ab") as output:
        descriptor = str(theirs.fileno())
        popen = subprocess.Popen(
            [sys.executable, "-m", "jobs.emulator.trainer.worker", trainer, descriptor],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[theirs.fileno()],
            env=_environment(cache),
        )
    return popen, ours


def _environment(cache: Path) -> Mapping[str, str]:
    return {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }


def _close(stream: BinaryIO) -> None:
    try:
        stream.close()
    except OSError:
        return  # What was still in its buffer has nowhere to go.
