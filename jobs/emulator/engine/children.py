"""Children: processes that end with whatever interrupts who started them, however early."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

Child = subprocess.Popen[str]


@contextmanager
def started(
    command: Sequence[str | Path], end: Callable[[Child], None] = Child.terminate, **options: Any
) -> Iterator[Child]:
    """A process whose output is text; `end` ends it where the block does not end well."""
    process: Child | None = None
    try:
        with _signals_later():
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                **options,
            )
        yield process
    except BaseException:
        if process:
            end(process)
        raise
    finally:
        if process:
            with process:  # its output is closed, and it is waited for
                pass


@contextmanager
def _signals_later() -> Iterator[None]:
    """What a handler raises, it raises at the end: a process may be there and not yet known."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no handler runs here
        return
    came: list[tuple[int, FrameType | None]] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    handled = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handled:
        signal.signal(number, lambda *got: came.append(got))
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
        for one, frame in came:
            handled[signal.Signals(one)](one, frame)
