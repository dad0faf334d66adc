"""Fixtures of whole runs: real processes, the genuine engine, an instant trainer."""

from collections.abc import Iterator

import pytest

from tests.conftest import Repository
from tests.end_to_end.world import World


@pytest.fixture
def world(repository: Repository) -> Iterator[World]:
    made = World.make(repository)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def provisioned_world(world: World) -> World:
    world.start()
    world.provision()
    return world
