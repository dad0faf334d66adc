"""Children: who is interrupted while a process starts still ends it."""

import signal
import subprocess
import sys

import pytest

from jobs.emulator.engine.children import started

# In a process of its own: a test's has threads, and nothing may be done between fork and exec.
INTERRUPTED = """
import os, signal, sys
from functools import partial
import psutil
from jobs.emulator.engine.children import started

def stop(number, frame):
    raise SystemExit(128 + number)

number = int(sys.argv[1])
signal.signal(number, stop)
early = partial(os.kill, os.getpid(), number)  # by the child, before it is what it shall be
try:
    with started(["sleep", "600"], preexec_fn=early):
        sys.exit("it goes on as if nothing had been")
finally:
    print(psutil.Process().children())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_process_starts_ends_the_process(number: signal.Signals) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(int(number))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "[]\n", "")


def test_a_process_ends_with_what_goes_wrong_and_its_end_is_waited_for() -> None:
    with pytest.raises(ValueError, match="no"), started(["sleep", "600"]) as process:
        raise ValueError("no")

    assert process.returncode == -signal.SIGTERM


def test_signals_are_handled_as_before_in_the_block() -> None:
    before = signal.getsignal(signal.SIGINT)

    with started(["true"]) as process:
        assert signal.getsignal(signal.SIGINT) is before

    assert process.returncode == 0


def test_what_cannot_be_started_leaves_the_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(FileNotFoundError), started(["/nowhere/at-all"]):
        pytest.fail("there is no such program")

    assert signal.getsignal(signal.SIGINT) is before


def test_nothing_is_left_open() -> None:
    with started(["echo", "said"]) as process:
        assert process.stdout
        assert process.stdout.read() == "said\n"

    assert process.stdout.closed
