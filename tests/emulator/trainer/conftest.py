"""Conversations to learn from, and a client that is closed afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TrainerClient]:
    client = TrainerClient(NEAREST.name, tmp_path / "cache")
    yield client
    client.close()
