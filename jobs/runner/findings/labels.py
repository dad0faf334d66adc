"""Labels: the classes of a classification, how they are spelt and how often each is there."""

from collections import Counter
from collections.abc import Iterator, Mapping

from jobs.runner import rules
from jobs.runner.estimate import counted
from jobs.runner.findings.repeats import normal
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, finding

_MOST_CLASSES = 5000  # that are kept; with more of them they are no classes
_LEAST_EXAMPLES = 20  # of the training data, to say anything of their balance
_IMBALANCE = 10
_CUT = 40


class Labels:
    def __init__(self) -> None:
        self._count: dict[SplitName, Counter[str]] = {}
        self._first: dict[SplitName, dict[str, int]] = {}
        self._shown: dict[SplitName, str] = {}
        self._full = False

    def take(self, rows: Rows) -> None:
        count = self._count.setdefault(rows.split, Counter())
        self._shown[rows.split] = rows.shown
        self._full |= len(count) > _MOST_CLASSES
        if self._full:
            return
        first = self._first.setdefault(rows.split, {})
        count.update(rows.answers)
        for line, answer in zip(rows.numbers, rows.answers, strict=True):
            first.setdefault(answer, line)

    def findings(self) -> Iterator[Finding]:
        if not (train := self._count.get("train")):
            return
        if self._full or (train.total() >= _LEAST_EXAMPLES and 2 * len(train) > train.total()):
            classes = f"more than {_MOST_CLASSES:,}" if self._full else f"{len(train):,}"
            what = f"has {classes} different answers, too many to be classes"
            yield finding(rules.NO_CLASSES, self._shown["train"], 0, what)
            return
        yield from self._spelling()
        yield from self._unseen()
        if train.total() >= _LEAST_EXAMPLES:
            yield from self._balance(_together(train))

    def _spelling(self) -> Iterator[Finding]:
        usual: dict[bytes, str] = {}
        for label, _ in sum(self._count.values(), Counter[str]()).most_common():
            usual.setdefault(normal(label), label)
        for split, count in self._count.items():
            found = Found(self._shown[split])
            for label, number in count.items():
                if (right := usual[normal(label)]) != label:
                    what = (
                        f"spells {_quoted(right)} as {_quoted(label)},"
                        f" in {counted(number, 'example')} of this split"
                    )
                    found.add(rules.SPELLING, self._first[split][label], what)
            yield from found.all()

    def _unseen(self) -> Iterator[Finding]:
        known = {normal(label) for label in self._count["train"]}
        for split in self._count:
            found = Found(self._shown[split])
            for label, line in self._first[split].items():
                if normal(label) not in known:
                    what = f"has the class {_quoted(label)}, which is not in the training data"
                    found.add(rules.UNSEEN_CLASS, line, what)
            yield from found.all()

    def _balance(self, train: Mapping[bytes, int]) -> Iterator[Finding]:
        shown = self._shown["train"]
        names = {normal(label): label for label in self._count["train"]}
        most, least = max(train, key=lambda c: train[c]), min(train, key=lambda c: train[c])
        if len(train) == 1:
            what = f"has the class {_quoted(names[most])} alone"
            yield finding(rules.ONE_CLASS, shown, 0, what)
        elif train[most] > _IMBALANCE * train[least]:
            what = (
                f"has {counted(train[most], 'example')} of {_quoted(names[most])}"
                f" and {train[least]:,} of {_quoted(names[least])}"
            )
            yield finding(rules.IMBALANCE, shown, 0, what)
        if test := self._count.get("test"):
            tested = _together(test)
            for label in sorted(names[c] for c in train if c not in tested):
                what = f"has no example of the class {_quoted(label)}"
                yield finding(rules.UNTESTED_CLASS, self._shown["test"], 0, what)


def _together(count: Counter[str]) -> Counter[bytes]:
    """How often each class is there, whatever its spelling."""
    found: Counter[bytes] = Counter()
    for label, number in count.items():
        found[normal(label)] += number
    return found


def _quoted(label: str) -> str:
    return f'"{label[:_CUT]}…"' if len(label) > _CUT else f'"{label}"'
