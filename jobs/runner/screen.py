"""Screen: where things stand, as a table on a terminal and as lines of what changed elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from jobs.runner import report_status
from jobs.runner.errors import plain
from jobs.runner.status import Status

_TENTH = 10  # percent


class Screen:
    """A context manager; what was shown last stays when it ends."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(
            highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._live = Live(console=self._console, auto_refresh=False)
        self._last: dict[tuple[str, str], object] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, found: Iterable[Status]) -> None:
        if self._console.is_terminal:
            self._live.update(_table(found), refresh=True)
            return
        for one in found:
            key = (one.name, one.entry.fingerprint if one.entry else "")
            if self._last.get(key) != (news := _news(one)):
                self._last[key] = news
                self._console.print(report_status.line(one))


def _table(found: Iterable[Status]) -> Table:
    """What fits a terminal; `status` without --watch shows the rest."""
    table = Table("name", "health", "sync", "next", box=box.SIMPLE_HEAD)
    for one in found:
        cells = one.name, report_status.said(one.fares), one.sync.value, one.fares.advice or ""
        table.add_row(*map(plain, cells))
    return table


def _news(one: Status) -> object:
    """What is worth a line: not each step, only each tenth of the way."""
    progress = one.fares.progress
    tenth = progress.percent // _TENTH if progress and progress.percent is not None else None
    return one.sync, one.fares.health, one.fares.detail, tenth
