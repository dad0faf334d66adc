"""Lengths: examples that are far longer, and answers that are far shorter, than the others."""

from array import array
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

_LEAST_EXAMPLES = 20
_OUTLIER = 20  # times the median
_LEAST_OUTLIER = 2000  # characters; less is long beside nothing
_SENTENCE = 40  # characters of the median answer, from which on one word is odd
_WORD = 20  # characters, of which one word has fewer
_RARE = 0.05


class Lengths:
    """Kept as numbers, as only the end tells what is usual."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}
        self._lines: dict[SplitName, array[int]] = {}
        self._whole: dict[SplitName, array[int]] = {}
        self._answers: dict[SplitName, array[int]] = {}  # with a minus where it is one word

    def take(self, rows: Rows) -> None:
        self._found.setdefault(rows.split, Found(rows.shown))
        self._lines.setdefault(rows.split, array("L")).extend(rows.numbers)
        whole = self._whole.setdefault(rows.split, array("L"))
        whole.extend(rows.characters)
        answers = self._answers.setdefault(rows.split, array("q"))
        answers.extend([n if (n := len(one)) >= _WORD else _length(one) for one in rows.answers])

    def findings(self) -> Iterator[Finding]:
        for split, found in self._found.items():
            if len(self._lines[split]) >= _LEAST_EXAMPLES:
                self._outliers(split, found)
                self._short(split, found)
            yield from found.all()

    def _outliers(self, split: SplitName, found: Found) -> None:
        usual = _median(self._whole[split])
        most = max(_OUTLIER * usual, _LEAST_OUTLIER)
        if max(self._whole[split]) <= most:
            return
        for line, length in zip(self._lines[split], self._whole[split], strict=True):
            if length > most:
                what = f"has {length:,} characters; half of the examples have {usual:,} or fewer"
                found.add(rules.OUTLIER, line, what)

    def _short(self, split: SplitName, found: Found) -> None:
        answers = self._answers[split]
        short = sum([length < 0 for length in answers])
        if not 0 < short <= _RARE * len(answers):
            return
        if (usual := _median(map(abs, answers))) < _SENTENCE:
            return
        for line, length in zip(self._lines[split], answers, strict=True):
            if length < 0:
                what = f"answers with one word; half of the answers have {usual:,} characters"
                found.add(rules.SHORT_ANSWER, line, f"{what} or more")


def _length(answer: str) -> int:
    """With a minus where it is one word."""
    return -len(answer) if len(answer.split()) <= 1 else len(answer)


def _median(numbers: Iterable[int]) -> int:
    """Few lengths differ, so counting them is faster than sorting all."""
    count = sorted(Counter(numbers).items())
    upto = [*accumulate(times for _, times in count)]
    return count[bisect(upto, upto[-1] // 2)][0]
