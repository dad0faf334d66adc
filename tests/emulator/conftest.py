"""Fixtures of the emulator's tests: plain calls to one that is served for the test alone."""

import pytest

from jobs.emulator.emulator import Emulator
from tests.emulator.wire import Wire


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    return Wire(emulator.url)
