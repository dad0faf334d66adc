"""Diff: what became of the examples of a file, and of its answers, in another one."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jobs.runner.datasets.files import checked, rows


@dataclass(frozen=True)
class Diff:
    """Line numbers: of the new file where it is added or changed, of the old where removed."""

    added: tuple[int, ...]
    removed: tuple[int, ...]
    changed: tuple[tuple[int, int], ...]  # the same input with another answer: old, new
    labels: dict[str, tuple[int, int]]  # answers whose number differs: old, new


def diff(old: Path, new: Path) -> Diff:
    checked(old)
    checked(new)
    before: dict[str, list[tuple[int, str]]] = {}
    labels: Counter[str] = Counter()
    for row in rows(old):
        before.setdefault(row.example.asked, []).append((row.number, row.example.answer))
        labels[row.example.answer] += 1
    later: Counter[str] = Counter()
    unmatched = []
    for row in rows(new):
        later[row.example.answer] += 1
        same = before.get(row.example.asked, [])
        kept = next((one for one in same if one[1] == row.example.answer), None)
        if kept:
            same.remove(kept)
        else:
            unmatched.append((row.number, row.example.asked))
    added, changed = [], []
    for number, asked in unmatched:
        if left := before.get(asked):
            changed.append((left.pop(0)[0], number))
        else:
            added.append(number)
    removed = sorted(number for left in before.values() for number, _ in left)
    shift = {a: (labels[a], later[a]) for a in labels | later if labels[a] != later[a]}
    return Diff(tuple(added), tuple(removed), tuple(changed), shift)
