"""Split: one file into train, validation and test, by what the examples say and not by chance."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from jobs.runner.dataset import SPLITS
from jobs.runner.datasets.files import Row, checked, new, rows
from jobs.runner.datasets.parted import Parted
from jobs.runner.datasets.shares import Counts, Group, Label, Shares, by_place, filled
from jobs.runner.errors import VertuneError
from jobs.runner.findings.near import Near
from jobs.runner.findings.repeats import normal
from jobs.runner.rows import SplitName

_Earlier = dict[bytes, list[SplitName]]  # on which sides each example is


@dataclass
class _Facts:
    """What one reading says of all rows: each one's place, label and earlier row it is like."""

    places: list[int] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)  # the first of its group
    shown: dict[Label, str] = field(default_factory=dict)
    kept: dict[int, SplitName] = field(default_factory=dict)

    def add(self, row: Row, like: int | None) -> None:
        label, number = normal(row.example.answer), len(self.leads)
        self.places.append(place_of(row))
        self.labels.append(label)
        self.shown.setdefault(label, row.example.answer)
        self.leads.append(number if like is None else self.leads[like])

    def groups(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for row, lead in enumerate(self.leads):
            found[lead].append(row)
        return found


def split(
    path: Path, folder: Path, shares: Shares, *, exact: bool = False, earlier: Path | None = None
) -> Parted:
    """Write the examples of a file into new files of a folder.

    Those that ask the same, or nearly, stay together. By default the side of such a group hangs on
    the text of its first example alone: what is added behind moves none, and no label's shares are
    more than likely. With `exact` they are as near as whole groups allow. What an `earlier` folder
    has stays where it is there, and the new ones bring the shares as near as that allows.
    """
    before = _earlier(earlier) if earlier else {}
    facts = _facts(path, before)
    sides, torn = _sides(facts, shares, exact or earlier is not None)
    _write(path, folder, sides)
    counts: Counts = {name: Counter() for name in SPLITS}
    for side, label in zip(sides, facts.labels, strict=True):
        counts[side][label] += 1
    gone = sum(map(len, before.values()))
    return Parted(counts, facts.shown, len(facts.kept), gone, torn)


def _facts(path: Path, before: _Earlier) -> _Facts:
    near = Near(same_answer=False)
    like = dict(near.pairs(checked(path, near).sources, None))
    facts, same = _Facts(), dict[int, int]()
    for number, row in enumerate(rows(path)):
        # The same input goes before one that is nearly the same.
        facts.add(row, same.get(place_of(row), like.get(number)))
        same.setdefault(facts.places[-1], number)
        if sides := before.get(_key(row)):
            facts.kept[number] = sides.pop(0)
    if 2 * len(facts.shown) > len(facts.labels):  # where most answers differ, they are no classes
        facts.labels, facts.shown = [b""] * len(facts.labels), {b"": ""}
    return facts


def place_of(row: Row) -> int:
    """By a digest of its input, the same in every process and on every machine."""
    digest = hashlib.blake2b(normal(row.example.asked), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _key(row: Row) -> bytes:
    said = f"{row.example.asked}\0\0{row.example.answer}"
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


def _earlier(folder: Path) -> _Earlier:
    found: _Earlier = {}
    files = {name: path for name in SPLITS if (path := folder / f"{name}.jsonl").is_file()}
    if not files:
        raise VertuneError(f"{folder} holds no train.jsonl, validation.jsonl or test.jsonl to keep")
    for name, path in files.items():
        if not path.stat().st_size:
            continue
        checked(path)
        for row in rows(path):
            found.setdefault(_key(row), []).append(name)
    return found


def _sides(facts: _Facts, shares: Shares, exact: bool) -> tuple[list[SplitName], int]:
    """The side of each row, and how many groups an earlier split has torn."""
    groups = facts.groups()
    held = {lead: [facts.kept[n] for n in some if n in facts.kept] for lead, some in groups.items()}
    free = [lead for lead in groups if not held[lead]]
    of_groups = {lead: sides[0] for lead, sides in held.items() if sides}
    if exact:
        of_groups |= zip(free, _fill(facts, groups, free, of_groups, shares), strict=True)
    else:
        of_groups |= {lead: by_place(facts.places[lead], shares) for lead in free}
    sides = [facts.kept.get(row, of_groups[lead]) for row, lead in enumerate(facts.leads)]
    return sides, sum(len(set(some)) > 1 for some in held.values())


def _fill(
    facts: _Facts,
    groups: Mapping[int, Sequence[int]],
    free: Sequence[int],
    of_groups: Mapping[int, SplitName],
    shares: Shares,
) -> list[SplitName]:
    taken: Counts = {name: Counter() for name in SPLITS}
    for lead, side in of_groups.items():
        for row in groups[lead]:
            taken[facts.kept.get(row, side)][facts.labels[row]] += 1
    wanted = [Group(facts.places[n], [facts.labels[row] for row in groups[n]]) for n in free]
    return filled(wanted, taken, shares)


def _write(path: Path, folder: Path, sides: Sequence[SplitName]) -> None:
    """No file for a side without examples: an empty one would be a fault of the dataset."""
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(new(folder / f"{name}.jsonl"))
            for name in SPLITS
            if name in sides
        }
        for number, row in enumerate(rows(path)):
            if number >= len(sides):
                raise VertuneError(f"{path} grew while it was read; run this again")
            files[sides[number]].write(row.line + b"\n")
