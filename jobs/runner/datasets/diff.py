"""Diff: what became of the examples of a file, and of its answers, in another one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.runner.datasets.files import checked, rows

Said = tuple[int, str, str]  # the line, what is asked, the answer
_LEAST_SHIFT = 0.05  # of all examples
_MOST_SHIFTS = 3


@dataclass(frozen=True)
class Diff:
    """Line numbers: of the new file where it is added or changed, of the old where removed."""

    added: tuple[int, ...]
    removed: tuple[int, ...]
    changed: tuple[tuple[int, int], ...]  # the same input with another answer: old, new
    labels: dict[str, tuple[int, int]]  # answers whose number differs: old, new
    shifts: dict[str, tuple[float, float]]  # classes whose share differs most: old, new

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def diff(old: Path, new: Path) -> Diff:
    checked(old)
    checked(new)
    return compare(_said(old), _said(new))


def _said(path: Path) -> Iterator[Said]:
    for row in rows(path):
        yield row.number, row.example.asked, row.example.answer


def compare(old: Iterable[Said], new: Iterable[Said]) -> Diff:
    before: dict[str, list[tuple[int, str]]] = {}
    labels: Counter[str] = Counter()
    for number, asked, answer in old:
        before.setdefault(asked, []).append((number, answer))
        labels[answer] += 1
    later: Counter[str] = Counter()
    unmatched = []
    for number, asked, answer in new:
        later[answer] += 1
        same = before.get(asked, [])
        kept = next((one for one in same if one[1] == answer), None)
        if kept:
            same.remove(kept)
        else:
            unmatched.append((number, asked))
    added, changed = [], []
    for number, asked in unmatched:
        if left := before.get(asked):
            changed.append((left.pop(0)[0], number))
        else:
            added.append(number)
    removed = sorted(number for left in before.values() for number, _ in left)
    differ = {a: (labels[a], later[a]) for a in labels | later if labels[a] != later[a]}
    shifts = dict(_shifts(labels, later))
    return Diff(tuple(added), tuple(removed), tuple(changed), differ, shifts)


def _shifts(old: Counter[str], new: Counter[str]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Of classes alone: where nearly every answer is another one, none has a share."""
    if not all(count and len(count) <= count.total() // 2 for count in (old, new)):
        return
    shares = {a: (old[a] / old.total(), new[a] / new.total()) for a in old | new}
    for answer in sorted(shares, key=lambda a: (-_moved(shares[a]), a))[:_MOST_SHIFTS]:
        if _moved(shares[answer]) >= _LEAST_SHIFT:
            yield answer, shares[answer]


def _moved(share: tuple[float, float]) -> float:
    return abs(share[1] - share[0])


def in_short(found: Diff) -> str:
    """`12 added, 3 removed, 2 with another answer; label sports 30 % → 55 %`."""
    counts: Mapping[str, int] = {
        "added": len(found.added),
        "removed": len(found.removed),
        "with another answer": len(found.changed),
    }
    parts = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    moved = [
        f"label {answer[:40]} {100 * old:.0f} % → {100 * new:.0f} %"
        for answer, (old, new) in found.shifts.items()
    ]
    return "; ".join([parts or "the same examples", *moved])
