"""Ahead: calls made by a few threads while their caller is busy with the first ones' results."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def ahead(calls: Iterable[Callable[[], T]], at_once: int) -> list[Future[T]]:
    """A future for each call, in their order; those that are cancelled in time are never made.

    The threads end with the process, whatever they are at: a pool's would be waited for, and an
    upload of an hour keep Ctrl-C from its effect.
    """
    futures: list[Future[T]] = []
    left: deque[tuple[Future[T], Callable[[], T]]] = deque()
    for call in calls:
        futures.append(Future())
        left.append((futures[-1], call))
    for _ in range(min(at_once, len(futures))):
        Thread(target=_work, args=(left,), daemon=True).start()
    return futures


def _work(left: deque[tuple[Future[T], Callable[[], T]]]) -> None:
    while True:
        try:
            future, call = left.popleft()
        except IndexError:
            return
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(call())
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)
