"""Parted: what a split made of a file, by label and side, and in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.runner.datasets.shares import Counts, Label, Shares

_MOST_ROWS = 20


@dataclass(frozen=True)
class Parted:
    """How many examples of each label went where; a label is shown as it is spelt first."""

    counts: Counts
    shown: Mapping[Label, str]
    kept: int = 0  # that were where they are in an earlier split
    gone: int = 0  # that were in the earlier split and are no more
    torn: int = 0  # groups whose examples an earlier split has on several sides

    @property
    def sizes(self) -> Counter[Label]:
        return sum(self.counts.values(), Counter[Label]())


def table(found: Parted) -> list[tuple[str, ...]]:
    """A row for each label, the most frequent first, and one of all."""
    sizes = found.sizes
    most = [label for label, _ in sizes.most_common(_MOST_ROWS)]
    labels = [(repr(found.shown[n][:40]), [n]) for n in most] if len(sizes) > 1 else []
    if others := list(sizes.keys() - {*most}):
        labels.append((f"{len(others):,} more", others))
    return [_row(found, *one) for one in [*labels, ("all", list(sizes))]]


def _row(found: Parted, name: str, labels: Sequence[Label]) -> tuple[str, ...]:
    counts = [sum(count[n] for n in labels) for count in found.counts.values()]
    total = sum(counts)
    return name, f"{total:,}", *(f"{n:,} ({n / total:.1%})" if n else "-" for n in counts)


def uneven(found: Parted, shares: Shares) -> Iterator[str]:
    """Sides that chance gave less than half or more than twice of what was asked for, in words."""
    total = found.sizes.total()
    for name, count in found.counts.items():
        share, size = float(shares.of(name)), count.total()
        if total and share and not share / 2 <= size / total <= 2 * share:
            yield f"{name} has {size:,} of {total:,} ({size / total:.1%}), not {share:.1%}"


def too_few(found: Parted, shares: Shares) -> Iterator[str]:
    """Labels that one side has none of, in words, the smallest first."""
    for label, size in sorted(found.sizes.items(), key=lambda item: (item[1], item[0])):
        lacking = [n for n, count in found.counts.items() if shares.of(n) and not count[label]]
        if lacking:
            name = f"label {found.shown[label][:60]!r}" if len(found.shown) > 1 else "all"
            yield f"{name} ({size:,}): none in {' and '.join(lacking)}"
