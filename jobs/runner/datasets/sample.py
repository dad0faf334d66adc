"""Sample: some examples of a file, chosen by their own text and a seed, in their order."""

import hashlib
import heapq
from pathlib import Path

from jobs.runner.datasets.files import checked, new, rows


def sample(path: Path, to: Path, count: int, seed: int) -> int:
    """How many were written: all, if there are no more than `count`."""
    checked(path)
    ranked = ((_rank(row.line, seed), row.number) for row in rows(path))
    chosen = {number for _, number in heapq.nsmallest(count, ranked)}
    with new(to) as stream:
        for row in rows(path):
            if row.number in chosen:
                stream.write(row.line + b"\n")
    return len(chosen)


def _rank(line: bytes, seed: int) -> bytes:
    return hashlib.blake2b(line, digest_size=8, key=str(seed).encode()).digest()
