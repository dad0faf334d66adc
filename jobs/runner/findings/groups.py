"""Groups: which of many numbers are the same; sorted, as a look-up of each takes far longer."""

from array import array
from typing import Any

import numpy as np

_ROOM = 4  # so many times as many places as numbers, for few to fall together by chance

Numbers = np.ndarray[Any, np.dtype[Any]]


def meeting(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Pairs of places with the same number: each with the first that has it."""
    places = _crowded(numbers)
    order = places[np.argsort(numbers[places], kind="stable")]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = numbers[order[1:]] == numbers[order[:-1]]
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    return order[again], order[first[again]]


def _crowded(numbers: Numbers) -> Numbers:
    """The places whose numbers start with the same bits as another's; the others are alone."""
    bits = max(len(numbers) * _ROOM, 2).bit_length()
    starts = (numbers >> np.uint64(64 - bits)).astype(np.int64)
    return np.flatnonzero((np.bincount(starts, minlength=1) > 1)[starts])


def firsts(numbers: "array[int]") -> dict[int, int]:
    """For each place in order whose number was there before, the first that has it."""
    later, first = meeting(np.frombuffer(numbers, dtype=np.uint64))
    return dict(sorted(zip(later.tolist(), first.tolist(), strict=True)))
