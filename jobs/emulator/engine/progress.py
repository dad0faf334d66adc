"""The progress of a Go build: what the command's lines mean, and how a person sees them counted."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Literal, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Kind = Literal["downloading", "package", "said"]

_SECONDS_BETWEEN_LINES = 15.0


def kind(line: str) -> Kind:
    """Go names a module it fetches after `go: downloading`, a package by its import path alone."""
    if line.startswith("go: downloading "):
        return "downloading"
    if line and not line.startswith(("#", "go:", "\t")) and " " not in line:
        return "package"
    return "said"


@dataclass
class Meter:
    """What a person is shown: how many lines of one kind came, and of how many if that is known."""

    title: str
    unit: str
    counts: Kind
    total: int | None = None
    count: int = 0
    began: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.title}: {self.count}{of} {self.unit}, {self.seconds():.0f} s"


@contextmanager
def shown(meter: Meter, stream: TextIO = sys.stderr) -> Iterator[Callable[[], None]]:
    """Shows the meter until the block ends; the value counts one more."""
    with (_bar if stream.isatty() else _lines)(meter, stream) as changed:

        def count() -> None:
            meter.count += 1
            changed()

        yield count


@contextmanager
def _bar(meter: Meter, stream: TextIO) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(meter.unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task(meter.title, total=meter.total)
        yield lambda: progress.update(task, completed=meter.count)


@contextmanager
def _lines(meter: Meter, stream: TextIO) -> Iterator[Callable[[], None]]:
    ended = Event()

    def tell() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LINES):
            print(meter, file=stream, flush=True)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield lambda: None
    finally:
        ended.set()
        teller.join()
