"""Checkpoints: at the end of which epochs they are written, and their folders."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST = 10


def checkpoint_epochs(epochs: int) -> tuple[int, ...]:
    """Every epoch below ten of them, else ten evenly spaced; the last one always."""
    count = min(epochs, MOST)
    return tuple(round(epochs * number / count) for number in range(1, count + 1))


@contextmanager
def new_checkpoint(folder: Path, name: str) -> Iterator[Path]:
    """A folder that appears under its name only when everything in it is written."""
    partial = folder / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    target = folder / name
    shutil.rmtree(target, ignore_errors=True)
    os.replace(partial, target)
