"""Children: who is interrupted while a process starts still ends it."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from types import FrameType

import psutil
import pytest

from jobs.emulator.engine.children import started


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal that ends what is done, as it does in the engine's command."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(request.param, stop)
    yield request.param
    signal.signal(request.param, before)


def test_a_signal_while_a_process_starts_ends_the_process(number: int) -> None:
    early = partial(os.kill, os.getpid(), number)  # by the child, before it is what it shall be
    mine = psutil.Process()
    others = mine.children()

    with pytest.raises(SystemExit) as raised, started(["sleep", "600"], preexec_fn=early):
        pytest.fail("it goes on as if nothing had been")

    assert raised.value.code == 128 + number
    assert [one for one in mine.children() if one not in others] == []


def test_a_process_ends_with_what_goes_wrong_and_its_end_is_waited_for() -> None:
    with pytest.raises(ValueError, match="no"), started(["sleep", "600"]) as process:
        raise ValueError("no")

    assert process.returncode == -signal.SIGTERM


def test_signals_are_handled_as_before_in_the_block(number: int) -> None:
    before = signal.getsignal(number)

    with started(["true"]) as process:
        assert signal.getsignal(number) is before

    assert process.returncode == 0


def test_what_cannot_be_started_leaves_the_signals_as_they_were(number: int) -> None:
    before = signal.getsignal(number)

    with pytest.raises(FileNotFoundError), started(["/nowhere/at-all"]):
        pytest.fail("there is no such program")

    assert signal.getsignal(number) is before


def test_nothing_is_left_open() -> None:
    with started(["echo", "said"]) as process:
        assert process.stdout
        assert process.stdout.read() == "said\n"

    assert process.stdout.closed
