"""Split: one file into train, validation and test, by what the examples say and not by chance."""

import hashlib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from jobs.runner.dataset import SPLITS
from jobs.runner.datasets.files import Row, checked, new, rows
from jobs.runner.findings.near import Near
from jobs.runner.findings.repeats import normal
from jobs.runner.rows import SplitName

_WHOLE = 1 << 64


def split(path: Path, folder: Path, validation: float, test: float) -> Counter[SplitName]:
    """How many examples each file got.

    An example's side hangs on its own text alone, so those that are added move no other; one that
    is nearly the same as an earlier one goes to its side. Each class is split in about the same
    shares, as the side does not hang on the answer.
    """
    near = Near(same_answer=False)
    found = checked(path, near)
    first = dict(near.pairs(found.sources, None))
    wanted = {SPLITS[1]: validation, SPLITS[2]: test}
    sides: dict[int, SplitName] = {}
    leading = set(first.values())
    count: Counter[SplitName] = Counter()
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(new(folder / f"{name}.jsonl"))
            for name in SPLITS
            if name == "train" or wanted[name]
        }
        for place, row in enumerate(rows(path)):
            own = side_of(row, validation, test)
            side = sides.get(first[place], own) if place in first else own
            if place in leading:
                sides[place] = side
            files[side].write(row.line + b"\n")
            count[side] += 1
    return count


def side_of(row: Row, validation: float, test: float) -> SplitName:
    """By a digest of its input, the same in every process and on every machine."""
    digest = hashlib.blake2b(normal(row.example.asked), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / _WHOLE
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"
