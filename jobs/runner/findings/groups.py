"""Groups: which of many numbers are the same; sorted, as a look-up of each takes far longer."""

from array import array
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]


def meeting(numbers: Numbers) -> tuple[Numbers, Numbers]:
    """Pairs of places with the same number: each with the first that has it."""
    order = np.argsort(numbers, kind="stable")
    again = np.zeros(len(numbers), dtype=bool)
    again[1:] = numbers[order[1:]] == numbers[order[:-1]]
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(numbers))))
    return order[again], order[first[again]]


def firsts(numbers: "array[int]") -> dict[int, int]:
    """For each place in order whose number was there before, the first that has it."""
    later, first = meeting(np.frombuffer(numbers, dtype=np.int64))
    return dict(sorted(zip(later.tolist(), first.tolist(), strict=True)))
