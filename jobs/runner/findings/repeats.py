"""Repeats: the same example twice, in a split or in two; the same input with another answer."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xxhash import xxh3_64_intdigest

from jobs.runner import rules
from jobs.runner.encoded import Encoded
from jobs.runner.found import Found
from jobs.runner.places import Places
from jobs.runner.rows import SplitName
from jobs.runner.rules import Finding, Rule

# Numbers and their signs stay: 3+4 is not 3-4, and 1.5 is not 15.
_LOWER = bytes(range(256)).lower()
_NOISE = b" \t\r\n!?;'\"`"
_END = b".,:"


def normal(text: str) -> bytes:
    """What is left of a text without case, spaces and punctuation that says nothing."""
    if text.isascii():
        return text.encode().translate(_LOWER, _NOISE).rstrip(_END)
    return text.casefold().encode().translate(None, _NOISE).rstrip(_END)


def normals(texts: Sequence[bytes]) -> list[bytes]:
    """The same of each, all at once where the byte between them is in none."""
    whole = b"\0".join(texts)
    if whole.isascii():
        found = whole.translate(_LOWER, _NOISE).split(b"\0")
    else:
        found = whole.decode().casefold().encode().translate(None, _NOISE).split(b"\0")
    if len(found) != len(texts):
        return [normal(one.decode()) for one in texts]
    return [one.rstrip(_END) for one in found]


class Repeats:
    """Hashes of all inputs and answers, as they are and as what is left of them."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}
        self._places = Places()
        self._asked, self._answers = array("Q"), array("Q")
        self._normal_asked, self._normal_answers = array("Q"), array("Q")

    def compare(self, texts: Encoded) -> None:
        self._found.setdefault(texts.split, Found(texts.shown))
        self._places.extend(texts)
        self._asked.extend(map(xxh3_64_intdigest, texts.asked))
        self._answers.extend(map(xxh3_64_intdigest, texts.answers))
        self._normal_asked.extend(map(xxh3_64_intdigest, normals(texts.asked)))
        self._normal_answers.extend(map(xxh3_64_intdigest, normals(texts.answers)))

    def _say_all(self) -> None:
        """Those whose inputs are the same but for what says nothing."""
        from jobs.runner.findings.groups import firsts

        exact = firsts(self._asked)
        for row, alike in firsts(self._normal_asked).items():
            first = exact.get(row, row)
            if first != row:
                self._same_input(row, first)
            elif self._normal_answers[alike] == self._normal_answers[row]:
                self._say(row, alike, _ALIKE)

    def _same_input(self, row: int, first: int) -> None:
        if self._answers[row] == self._answers[first]:
            self._say(row, first, _SAME)
        elif self._normal_answers[row] == self._normal_answers[first]:
            self._say(row, first, _ALIKE)
        else:
            self._say(row, first, _OTHER_ANSWER)

    def _say(self, row: int, first: int, kind: "_Kind") -> None:
        (split, line), (other, first_line) = self._places.of(row), self._places.of(first)
        if split == other:
            self._found[split].add(kind.rule, line, kind.within.format(f"line {first_line}"))
        else:
            what = kind.across.format(self._places.data(first))
            self._found[split].add(kind.leaked, line, what)

    def findings(self) -> Iterator[Finding]:
        self._say_all()
        for found in self._found.values():
            yield from found.all()


@dataclass(frozen=True)
class _Kind:
    """How alike two examples are, and what is said of them within a split and across two."""

    rule: Rule
    within: str
    leaked: Rule
    across: str


_SAME = _Kind(
    rules.REPEATED,
    "is the same example as {}",
    rules.LEAKED,
    "is also in the {}: its score means nothing",
)
_ALIKE = _Kind(
    rules.ALIKE,
    "is the same example as {} but for case, spaces or punctuation",
    rules.LEAKED_ALIKE,
    "is also in the {} but for case, spaces or punctuation",
)
_OTHER_ANSWER = _Kind(
    rules.CONTRADICTION,
    "has the same input as {} and another answer",
    rules.LEAKED_INPUT,
    "has the same input as one of the {} and another answer",
)
