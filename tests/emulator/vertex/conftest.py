"""Vertex served over loopback with a dictionary for storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient
from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Tunes with the instant trainer, in its own process."""
    with Place(tmp_path / "state", TrainerClient(NEAREST.name, tmp_path / "cache")) as place:
        yield place


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path / "cache")


@pytest.fixture
def held_place(tmp_path: Path, held: Held) -> Iterator[Place]:
    """Tunes only as far as `held` is let."""
    with Place(tmp_path / "state", held) as place:
        yield place
