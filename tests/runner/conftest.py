"""Waits that are shorter than a person's, for what is refused on purpose."""

import pytest


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the time for everything."""
    monkeypatch.setenv("VERTUNE_PATIENCE", "0.01")


@pytest.fixture
def soon_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a little time for repeats; an answer may take as long as ever."""
    monkeypatch.setattr("jobs.runner.remote._REPEATS", 0.3)
