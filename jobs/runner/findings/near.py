"""Near: examples that are nearly the same, by the pairs of words that they share.

Each text leaves a signature of fixed size (one-permutation min-hash); rows whose signatures meet
in a band are candidates, and only the texts of candidates are read again and compared.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from jobs.runner import rules
from jobs.runner.dataset import Dataset, lines
from jobs.runner.example import BadExample, Example, parse, text_of
from jobs.runner.findings.repeats import normal
from jobs.runner.found import Found
from jobs.runner.prompt import Template
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

_ALIKE = 0.75  # of the pairs of words of both
_LEAST = 8  # pairs; of fewer a single word decides
_BINS, _BAND = 33, 3
_EMPTY = 0xFFFFFFFF
_MOST_WORDS = 1_000_000  # whose numbers are kept


class Near:
    """`same_answer`: texts that ask different things of one context are no repeats."""

    def __init__(self, same_answer: bool) -> None:
        self._same_answer = same_answer
        self._signatures = array("I")
        self._numbers = array("L")
        self._starts: dict[SplitName, int] = {}
        self._shown: dict[SplitName, str] = {}
        self._words: dict[str, int] = {}
        self._prefix = self._suffix = ""

    def take(self, rows: Rows) -> None:
        if not self._starts:
            self._learn_template(rows)
        self._starts.setdefault(rows.split, len(self._numbers))
        self._shown[rows.split] = rows.shown
        if len(self._words) > _MOST_WORDS:
            self._words.clear()
        self._numbers.extend(rows.numbers)
        for example in rows.examples:
            self._signatures.extend(_signature(self._pairs(example)))

    def _learn_template(self, rows: Rows) -> None:
        """What all prompts share says nothing about how alike two of them are."""
        template = Template()
        for prompt in rows.prompts:
            template.narrow(None, prompt)
        shared = template.prompt()
        self._prefix, self._suffix = shared.prefix, shared.suffix

    def _pairs(self, example: Example) -> list[int]:
        """A number for each two words that follow each other, of all turns but the answer."""
        text = "" if example.holds_files else "\n".join(map(text_of, example.contents[:-1]))
        text = text.removeprefix(self._prefix).removesuffix(self._suffix)
        return _pairs(_tokens(text), self._words)

    def findings(self, dataset: Dataset, instructions: str | None) -> Iterator[Finding]:
        candidates = self._candidates()
        wanted = {row for pair in candidates.items() for row in pair}
        kept = self._read_again(dataset, instructions, wanted) if candidates else {}
        found = {name: Found(shown) for name, shown in self._shown.items()}
        for row, first in sorted(candidates.items()):
            if row in kept and first in kept and self._alike(kept[row], kept[first]):
                self._say(found, row, first)
        for one in found.values():
            yield from one.all()

    def _candidates(self) -> dict[int, int]:
        """For each row at most one earlier row whose signature is much like its own."""
        found: dict[int, int] = {}
        signatures, count = self._signatures, len(self._numbers)
        nothing = (_EMPTY,) * _BAND
        for start in range(0, _BINS, _BAND):
            firsts: dict[int, int] = {}
            for row in range(count):
                at = row * _BINS + start
                band = tuple(signatures[at : at + _BAND])
                if band == nothing:
                    continue
                first = firsts.setdefault(hash(band), row)
                if first != row and row not in found and self._near(row, first):
                    found[row] = first
        return found

    def _near(self, row: int, first: int) -> bool:
        one = self._signatures[row * _BINS : (row + 1) * _BINS]
        other = self._signatures[first * _BINS : (first + 1) * _BINS]
        both = [a == b for a, b in zip(one, other, strict=True) if not a == b == _EMPTY]
        return sum(both) > 0.6 * _ALIKE * len(both)

    def _read_again(
        self, dataset: Dataset, instructions: str | None, wanted: set[int]
    ) -> dict[int, "_Text"]:
        """What is compared, of the rows that are candidates; a line that changed since is none."""
        kept = {}
        for name, start in self._starts.items():
            rows = {number: start + i for i, number in enumerate(self._of(name))}
            rows = {number: row for number, row in rows.items() if row in wanted}
            for number, line in lines(dataset.splits[name].source):
                if number in rows and line is not None:
                    try:
                        example = parse(line, instructions)
                    except BadExample:
                        continue
                    pairs = frozenset(self._pairs(example))
                    kept[rows[number]] = (pairs, normal(example.asked), normal(example.answer))
        return kept

    def _of(self, split: SplitName) -> Sequence[int]:
        start = self._starts[split]
        later = [one for one in self._starts.values() if one > start]
        return self._numbers[start : min(later, default=len(self._numbers))]

    def _alike(self, one: "_Text", other: "_Text") -> bool:
        """Those that are the same but for case and the like are repeats, and said as such."""
        (pairs, asked, answer), (other_pairs, other_asked, other_answer) = one, other
        if asked == other_asked or (self._same_answer and answer != other_answer):
            return False
        both = len(pairs & other_pairs)
        return both >= _ALIKE * (len(pairs) + len(other_pairs) - both)

    def _say(self, found: Mapping[SplitName, Found], row: int, first: int) -> None:
        split, other = self._split_of(row), self._split_of(first)
        line, first_line = self._numbers[row], self._numbers[first]
        if split == other:
            what = f"is nearly the same as line {first_line}"
            found[split].add(rules.NEARLY, line, what)
        else:
            data = "training" if other == "train" else other
            what = (
                f"is nearly the same as one of the {data} data ({self._shown[other]}:{first_line})"
            )
            found[split].add(rules.LEAKED_NEARLY, line, what)

    def _split_of(self, row: int) -> SplitName:
        return max((start, name) for name, start in self._starts.items() if start <= row)[1]


_Text = tuple[frozenset[int], bytes, bytes]


def _tokens(text: str) -> Sequence[str]:
    """Words; of a script that does not part them, characters."""
    words = text.casefold().split()
    return words if len(words) * 12 >= len(text) else "".join(words)


def _pairs(tokens: Iterable[str], known: dict[str, int]) -> list[int]:
    numbers = []
    for token in tokens:
        number = known.get(token)
        if number is None:
            number = known[token] = crc32(token.encode("utf-8", "surrogatepass"))
        numbers.append(number)
    later = iter(numbers)
    next(later, None)
    return [
        (a * 0x9E3779B1 + b * 0x85EBCA6B) & _EMPTY for a, b in zip(numbers, later, strict=False)
    ]


def _signature(pairs: Sequence[int]) -> list[int]:
    """The least number of each bin; none at all of a text that is too short to compare."""
    least = [_EMPTY] * _BINS
    if len(pairs) < _LEAST:
        return least
    for pair in pairs:
        mixed = (pair ^ (pair >> 15)) * 0x2C1B3C6D & _EMPTY
        place = mixed % _BINS
        if mixed < least[place]:
            least[place] = mixed
    return _filled(least) if _EMPTY in least else least


def _filled(least: list[int]) -> list[int]:
    """An empty bin takes what the next one has, turned by the distance: short texts have many."""
    filled, last, away = list(least), 0, 0
    for place in range(2 * _BINS - 1, -1, -1):
        value = least[place % _BINS]
        last, away = (value, 0) if value != _EMPTY else (last, away + 1)
        filled[place % _BINS] = (last + away * 0x9E3779B1) & _EMPTY
    return filled
