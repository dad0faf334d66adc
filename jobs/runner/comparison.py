"""Comparison: what two stacks serve under each name, side by side; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jobs.runner.entry import Recorded, Summary


@dataclass(frozen=True)
class Pair:
    """One name; None is a stack that serves nothing under it."""

    name: str
    first: Summary | None
    second: Summary | None

    @property
    def same(self) -> bool:
        """Whether both serve the same tuning: the same data and settings, proven by digest."""
        return (
            self.first is not None
            and self.second is not None
            and self.first.fingerprint == self.second.fingerprint
        )


def pairs(first: Mapping[str, Recorded], second: Mapping[str, Recorded]) -> Iterator[Pair]:
    """Every name that either serves, in order."""
    for name in sorted({*first, *second}):
        pair = Pair(name, _served(first, name), _served(second, name))
        if pair.first or pair.second:
            yield pair


def _served(recorded: Mapping[str, Recorded], name: str) -> Summary | None:
    return recorded.get(name, Recorded()).served
