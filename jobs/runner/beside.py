"""Beside: a watch whose comparing is done by another process, while this one goes on reading."""

from __future__ import annotations

import fcntl
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Queue
from threading import Thread
from typing import IO, Any

from jobs.runner import memory
from jobs.runner.encoded import packed, unpacked
from jobs.runner.findings.alike import Alike
from jobs.runner.findings.near import Sources
from jobs.runner.rows import Rows
from jobs.runner.rules import Finding

_WAITING = 128  # pieces of a file, while the other process starts or is behind
_PIPE = 1 << 20  # bytes: some pieces, so that the two processes need not take turns
# Not by multiprocessing, whose processes load all that a command has loaded before they begin.
_COMMAND = (sys.executable, "-P", "-m", __name__)


class Beside:
    """A context manager; when it ends, so does the process, whatever that is doing.

    `again` opens the sources in the other process.
    """

    def __init__(self, alike: Alike, again: Callable[[], Sources]) -> None:
        self._waiting: Queue[Any] = Queue(_WAITING)
        self._waiting.put(sys.path)
        self._waiting.put((alike, again))
        self._sender = Thread(target=self._send, daemon=True)

    def __enter__(self) -> Beside:
        # In a group of its own: of a Ctrl-C, even while it starts, this process tells.
        self._process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        assert self._process.stdin
        with suppress(AttributeError, OSError):  # it is Linux's, and not for who has many of them
            fcntl.fcntl(self._process.stdin, fcntl.F_SETPIPE_SZ, _PIPE)
        self._sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        if self._sender.is_alive():
            self._waiting.put(None)
            self._sender.join()
        with suppress(OSError):
            self._process.communicate()

    def take(self, rows: Rows) -> None:
        self._waiting.put(packed(rows))

    def said(self) -> list[Finding] | None:
        """What was found in all rows; None where the process has died."""
        self._waiting.put(None)
        assert self._process.stdout
        try:
            found: list[Finding] = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            return None
        return found

    def _send(self) -> None:
        """Of what nobody is there for any more, nothing waits either."""
        assert self._process.stdin
        gone = False
        while (one := self._waiting.get()) is not None:
            gone = gone or not _sent(self._process.stdin, one)
        _sent(self._process.stdin, None)


def _sent(there: IO[bytes], one: object) -> bool:
    try:
        pickle.dump(one, there, pickle.HIGHEST_PROTOCOL)
        there.flush()
    except OSError:
        return False
    return True


def main() -> None:
    """The other process; it ends when nothing more can come."""
    memory.generous()
    stream, there = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    with suppress(EOFError, pickle.UnpicklingError):
        sys.path = pickle.load(stream)
        alike, again = pickle.load(stream)
        while rows := pickle.load(stream):
            alike.compare(unpacked(rows))
        _sent(there, [*alike.findings(again())])


if __name__ == "__main__":
    main()
