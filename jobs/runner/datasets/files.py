"""Files of examples: what is read is read whole and right, what is written is always new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jobs.runner import dataset, rules
from jobs.runner.dataset import Dataset
from jobs.runner.errors import Problems, VertuneError
from jobs.runner.example import BadExample, Example, parse
from jobs.runner.findings.near import Near
from jobs.runner.lines import Source, lines, opened


@dataclass(frozen=True)
class Row:
    """A line as it stands in a file, without its end, and the example on it."""

    number: int
    line: bytes
    example: Example


def source(path: Path) -> Source:
    return Source(str(path), lambda: opened(path))


def checked(path: Path, near: Near | None = None) -> Dataset:
    """The examples of a file as a train split. Raises Problems with every fault of every line."""
    found = dataset.read({"train": source(path)}, None, [near] if near else [])
    if faults := [one.problem for one in found.findings if one.severity == "error"]:
        raise Problems(faults)
    return found


def rows(path: Path) -> Iterator[Row]:
    """The lines of a file that was checked, one at a time. Raises VertuneError if it changed."""
    try:
        for number, line in lines(source(path)):
            if line is None:
                raise BadExample(rules.LONG_LINE, "became too long")
            yield Row(number, line.rstrip(b"\r"), parse(line, None))
    except (BadExample, OSError) as error:
        what = f"{error}; it changed since it was checked, run this again"
        raise VertuneError(f"{path}: {what}") from None


@contextmanager
def new(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there; it is gone again if it cannot be written whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("xb")
    except FileExistsError:
        raise VertuneError(f"{path} exists; name a file that does not") from None
    except OSError as error:
        raise VertuneError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with stream:
            yield stream
    except BaseException:
        os.unlink(path)
        raise
