"""Shares: which side each group of examples goes to, so that every label has its share of each.

Where nothing is remembered, only a side that hangs on one group alone is moved by no other. Exact
shares hang on all groups, so those that have a side already are given, and the others fill up.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from jobs.runner.rows import SplitName

Label = bytes
Counts = Mapping[SplitName, Counter[Label]]

HELD_OUT: tuple[SplitName, ...] = ("test", "validation")  # in the order they are filled in
WHOLE = 1 << 64


@dataclass(frozen=True)
class Group:
    """Examples that stay together: the label of each, and their place below WHOLE, by a digest."""

    place: int
    labels: Sequence[Label]


@dataclass(frozen=True)
class Shares:
    validation: float
    test: float

    def of(self, split: SplitName) -> Fraction:
        """As it was written: 0.1 is a tenth."""
        validation, test = Fraction(str(self.validation)), Fraction(str(self.test))
        return {"validation": validation, "test": test, "train": 1 - validation - test}[split]


def by_place(place: int, shares: Shares) -> SplitName:
    """The side of one group by itself; of many, each has about its share."""
    part = place / WHOLE
    if part < shares.test:
        return "test"
    return "validation" if part < shares.test + shares.validation else "train"


def filled(groups: Sequence[Group], kept: Counts, shares: Shares) -> list[SplitName]:
    """The side of each group; `kept` are the examples that have one. By place, not by order."""
    free = Counter(label for group in groups for label in group.labels)
    missing = _missing(free, kept, shares)
    sides: dict[int, SplitName] = {}
    for number in sorted(range(len(groups)), key=lambda n: (groups[n].place, n)):
        wanted = Counter(groups[number].labels)
        sides[number] = "train"
        if side := next((name for name in HELD_OUT if wanted <= missing[name]), None):
            missing[side] -= wanted
            sides[number] = side
    return [sides[number] for number in range(len(groups))]


def _missing(free: Counter[Label], kept: Counts, shares: Shares) -> dict[SplitName, Counter[Label]]:
    """What each held-out side still takes of each label; one at least is left to train."""
    room = Counter({n: free[n] - (0 if kept["train"][n] else 1) for n in free})
    missing: dict[SplitName, Counter[Label]] = {}
    for side in HELD_OUT:
        goal = dict(_goal(free, side, kept, shares.of(side)))
        some = {n: min(goal[n] - kept[side][n], room[n]) for n in free}
        missing[side] = Counter(some)
        room -= missing[side]
    return missing


def _goal(
    free: Counter[Label], side: SplitName, kept: Counts, share: Fraction
) -> Iterator[tuple[Label, int]]:
    """Its share of each label, rounded so that the sum is its share of all."""
    total = sum(kept.values(), free)
    exact = {label: share * count for label, count in total.items()}
    goal = {label: max(int(part), kept[side][label]) for label, part in exact.items()}
    more = round(share * total.total()) - sum(goal.values())
    # The largest remainders are rounded up; which label comes first does not hang on the order.
    for label in sorted(exact, key=lambda n: (int(exact[n]) - exact[n], n)):
        up = more > 0 and goal[label] < exact[label]
        more -= up
        yield label, goal[label] + up
