"""Repeats: the same example twice in a split, or in two splits."""

from collections.abc import Iterator

from jobs.runner import rules
from jobs.runner.dataset import SPLITS, Dataset, Split
from jobs.runner.found import Found
from jobs.runner.rules import Finding


def repeats(dataset: Dataset) -> Iterator[Finding]:
    for split in dataset.splits.values():
        found = Found(split.source.shown)
        for line, first in split.repeated:
            found.add(rules.REPEATED, line, f"is the same example as line {first}")
        yield from found.all()
    for name in SPLITS[1:]:
        if name in dataset.splits:
            yield from _leaks(dataset.train, dataset.splits[name])


def _leaks(train: Split, held_out: Split) -> Iterator[Finding]:
    found = Found(held_out.source.shown)
    for digest, line in held_out.lines.items():
        if first := train.lines.get(digest):
            where = f"{train.source.shown}:{first}"
            what = f"is also in the training data ({where}): its score means nothing"
            found.add(rules.LEAKED, line, what)
    yield from found.all()
