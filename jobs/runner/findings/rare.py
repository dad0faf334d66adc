"""Rare: those who look for what few texts hold, shown where it may be by one automaton for all.

What a mark stands for may be in a text only where the mark is; so most texts need no other look.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

from jobs.runner.rows import Rows
from jobs.runner.rules import Finding

if TYPE_CHECKING:
    import hyperscan

Marked = Mapping[str, Sequence[int]]  # the rows that have each mark, in order


class Seeks(Protocol):
    """Who looks closely at the rows that have one of its marks.

    A mark is an expression for the bytes of a text; its name is no other seeker's.
    """

    marks: Mapping[str, str]

    def look(self, rows: Rows, marked: Marked) -> None: ...

    def findings(self) -> Iterator[Finding]: ...


class Rare:
    def __init__(self, *seekers: Seeks) -> None:
        self._seekers = seekers
        self._marks = {name: mark for one in seekers for name, mark in one.marks.items()}
        self._scratch: hyperscan.Scratch | None = None

    def take(self, rows: Rows) -> None:
        marked = self._marked(rows)
        for one in self._seekers:
            one.look(rows, marked)

    def _marked(self, rows: Rows) -> Marked:
        names = [*self._marks]
        hits: list[tuple[int, int]] = []
        automaton = _automaton((*self._marks.values(),))
        self._scratch = self._scratch or _scratch(automaton)
        automaton.scan(
            rows.whole,
            match_event_handler=lambda *hit: hits.append(hit[:3:2]),
            scratch=self._scratch,
        )
        found: dict[str, set[int]] = {name: set() for name in names}
        ends = rows.ends if hits else ()
        for mark, end in hits:
            found[names[mark]].add(bisect(ends, end - 1))
        return {name: sorted(some) for name, some in found.items()}

    def findings(self) -> Iterator[Finding]:
        for one in self._seekers:
            yield from one.findings()


@cache
def _automaton(marks: tuple[str, ...]) -> hyperscan.Database:
    """Made once for all specs; it takes longer than to look at a small file."""
    import hyperscan

    automaton = hyperscan.Database()
    automaton.compile(expressions=[mark.encode() for mark in marks])
    return automaton


def _scratch(automaton: hyperscan.Database) -> hyperscan.Scratch:
    """What a scan works with, for one at a time."""
    import hyperscan

    return hyperscan.Scratch(automaton)
