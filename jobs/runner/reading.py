"""Reading of large files as bars on a terminal: how far, how fast and how long still."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from jobs.runner import dataset
from jobs.runner.lines import Source
from jobs.runner.rows import SplitName

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@contextmanager
def shown(
    sources: Mapping[SplitName, Source], console: Console | None = None
) -> Iterator[Mapping[SplitName, Source]]:
    """The sources, whose reading is drawn on stderr while this lasts, where that is a terminal."""
    from rich.console import Console

    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield sources
        return
    from rich import progress

    bars = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bars:
        yield {name: _drawn(source, bars) for name, source in sources.items()}


def _drawn(source: Source, bars: Progress) -> Source:
    def opened() -> BinaryIO:
        stream = source.open()
        task = bars.add_task(f"reading {source.shown}", total=dataset.size(source))
        return cast(BinaryIO, _Counted(stream, partial(bars.advance, task)))

    return replace(source, open=opened)


class _Counted(io.RawIOBase):
    """A stream that tells how much of it is read."""

    def __init__(self, stream: BinaryIO, advance: Callable[[float], None]) -> None:
        self._stream, self._advance = stream, advance

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._advance(len(data))
        return data

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        self._stream.close()
        super().close()
