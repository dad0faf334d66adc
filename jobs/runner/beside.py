"""Beside: a watch whose looking is done by another process, while this one goes on reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import Queue
from threading import Thread

from jobs.runner import garbage
from jobs.runner.rows import Rows
from jobs.runner.rules import Finding

Look = Callable[[Iterable[Rows]], list[Finding]]

_WAITING = 128  # pieces of a file, while the other process starts or is behind


class Beside:
    """A context manager; when it ends, so does the process, whatever that is doing."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._waiting: Queue[Rows | None] = Queue(_WAITING)
        self._sender = Thread(target=self._send, daemon=True)

    def __enter__(self) -> Beside:
        context = get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_look, args=(there, self._look), daemon=True)
        self._process.start()
        there.close()  # so that this end tells when the process is gone
        self._sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        if self._sender.is_alive():
            self._waiting.put(None)
            self._sender.join()
        self._process.join()
        self._here.close()

    def take(self, rows: Rows) -> None:
        self._waiting.put(rows)

    def said(self) -> list[Finding] | None:
        """What was found in all rows; None where the process has died."""
        self._waiting.put(None)
        try:
            found: list[Finding] = self._here.recv()
        except (EOFError, OSError):
            return None
        return found

    def _send(self) -> None:
        """Of what nobody is there for any more, nothing waits either."""
        gone = False
        while (rows := self._waiting.get()) is not None:
            gone = gone or not _sent(self._here, rows)
        _sent(self._here, None)


def _sent(there: Connection, rows: Rows | None) -> bool:
    try:
        there.send(rows and (rows.split, rows.shown, rows.numbers, rows.examples))
    except OSError:
        return False
    return True


def _look(there: Connection, look: Look) -> None:
    garbage.seldom()
    there.send(look(_received(there)))


def _received(there: Connection) -> Iterator[Rows]:
    while columns := there.recv():
        yield Rows(*columns)
