"""Bands: which rows agree in some bins of their signatures that stand beside each other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from jobs.runner.findings.groups import Numbers, meeting
from jobs.runner.findings.signatures import BINS, EMPTY

_BAND = 3
_THREADS = 2  # in the end, when the other process has nothing to do any more
_SOME = 10_000  # rows, which are near at hand while they are filled
_TURN = np.uint32(0x9E3779B1)
_WORD = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xC2B2AE3D27D4EB4F)


class Bands:
    """Signatures as they come; of rows that are too short to compare nothing is kept."""

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[Numbers] = []
        self._rows: list[Numbers] = []
        self._columns: list[Numbers] = []  # for each bin what some rows have in it

    def add(self, signatures: Numbers) -> None:
        self._waiting.append(signatures)
        if sum(map(len, self._waiting)) >= _SOME:
            self._settle()

    def candidates(self, agreeing: float) -> dict[int, int]:
        """For each row at most one earlier row that agrees with it in so many of all bins."""
        if self._waiting:
            self._settle()
        rows, found = np.concatenate(self._rows), dict[int, int]()
        starts = np.cumsum([0, *map(len, self._rows)])
        with ThreadPoolExecutor(_THREADS) as threads:
            for later, first in threads.map(self._meeting, range(0, BINS, _BAND)):
                same = self._bins(later, starts) == self._bins(first, starts)
                alike = np.mean(same, axis=0) >= agreeing
                pairs = rows[later[alike]].tolist(), rows[first[alike]].tolist()
                for row, other in zip(*pairs, strict=True):
                    found.setdefault(row, other)
        return found

    def _settle(self) -> None:
        some = np.concatenate(self._waiting)
        long = (some != EMPTY).any(axis=1)
        self._rows.append(np.flatnonzero(long) + self._count)
        self._columns.append(_filled(np.ascontiguousarray(some[long].T)))
        self._count += len(some)
        self._waiting.clear()

    def _meeting(self, start: int) -> tuple[Numbers, Numbers]:
        keys = [_key(some[start : start + _BAND]) for some in self._columns]
        return meeting(np.concatenate(keys))

    def _bins(self, places: Numbers, starts: Numbers) -> Numbers:
        """What the rows at these places have in all bins."""
        found = np.empty((BINS, len(places)), dtype=np.uint32)
        parts = np.searchsorted(starts, places, side="right") - 1
        for part in np.unique(parts):
            here = parts == part
            found[:, here] = self._columns[part][:, places[here] - starts[part]]
        return found


def _key(band: Numbers) -> Numbers:
    key: Numbers = (band[0] * _WORD + band[1]) * _NEXT + band[2]
    return key


def _filled(bins: Numbers) -> Numbers:
    """An empty bin takes what the next one has, turned by the distance: short texts have many."""
    taken = np.full(bins.shape[1], EMPTY)
    for one in bins[::-1]:  # behind the last comes the first
        taken = np.where(one == EMPTY, taken + _TURN, one)
    for one in bins[::-1]:
        taken = np.where(one == EMPTY, taken + _TURN, one)
        one[:] = taken
    return bins
