"""Vertex served over loopback with a dictionary for storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient
from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import Place


class Lasting(TrainerClient):
    """Keeps its worker process from test to test: starting one takes longer than a test."""

    def close(self) -> None:
        """Nothing yet; see `end`."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def nearest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lasting]:
    trainer = Lasting(NEAREST.name, tmp_path_factory.mktemp("cache"))
    yield trainer
    trainer.end()


@pytest.fixture
def place(tmp_path: Path, nearest: Lasting) -> Iterator[Place]:
    """Tunes with the instant trainer, in a process as always."""
    with Place(tmp_path / "state", nearest) as place:
        yield place


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path / "cache")


@pytest.fixture
def held_place(tmp_path: Path, held: Held) -> Iterator[Place]:
    """Tunes only as far as `held` is let."""
    with Place(tmp_path / "state", held) as place:
        yield place
