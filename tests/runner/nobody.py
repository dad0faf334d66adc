"""Nobody: not the superuser, who may read everything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def nobody() -> Iterator[None]:
    if (me := os.geteuid()) == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


@contextmanager
def reachable() -> Iterator[Path]:
    """A folder that everybody can get to, unlike those of a test run."""
    with TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def locked(folder: Path, mode: int) -> Iterator[None]:
    """As nobody, who is left with what the mode allows."""
    folder.chmod(mode)
    try:
        with nobody():
            yield
    finally:
        folder.chmod(0o755)
