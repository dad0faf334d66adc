"""Fixtures of the tests of access."""

import pytest

from jobs.emulator.emulator import Emulator
from tests.emulator.access.world import World


@pytest.fixture
def world(emulator: Emulator) -> World:
    return World.made_on(emulator.url)
