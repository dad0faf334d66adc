"""Near: examples that are nearly the same, by the pairs of words that they share.

Each text leaves a signature of fixed size (one-permutation min-hash); rows whose signatures meet
in a band are candidates, and only the texts of candidates are read again and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from jobs.runner import rules
from jobs.runner.encoded import Encoded, encoded
from jobs.runner.example import BadExample, parse
from jobs.runner.findings.repeats import normal
from jobs.runner.found import Found
from jobs.runner.lines import Source, blocks
from jobs.runner.places import Places
from jobs.runner.prompt import Template
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

if TYPE_CHECKING:
    from jobs.runner.findings.bands import Bands

_ALIKE = 0.75  # of the pairs of words of both
Sources = Mapping[SplitName, Source]
_Text = tuple[frozenset[int], bytes, bytes]  # pairs of words, the input, the answer


class Near:
    """`same_answer`: texts that ask different things of one context are no repeats."""

    def __init__(self, same_answer: bool) -> None:
        self._same_answer = same_answer
        self._bands: Bands | None = None
        self._places = Places()
        self._prefix = self._suffix = b""

    def take(self, rows: Rows) -> None:
        self.compare(encoded(rows))

    def compare(self, texts: Encoded) -> None:
        from jobs.runner.findings.bands import Bands
        from jobs.runner.findings.signatures import signatures

        if self._bands is None:
            self._bands = Bands()
            self._learn_template(texts.dialogues)
        self._places.extend(texts)
        bodies, start, end = texts.dialogues, self._prefix, self._suffix
        if start or end:
            bodies = [one.removeprefix(start).removesuffix(end) for one in bodies]
        self._bands.add(signatures(bodies))

    def _learn_template(self, dialogues: Sequence[bytes]) -> None:
        """What all share says nothing about how alike two of them are."""
        template = Template()
        template.narrow_all([None] * len(dialogues), [*map(bytes.decode, dialogues)])
        shared = template.prompt()
        self._prefix, self._suffix = shared.prefix.encode(), shared.suffix.encode()

    def findings(self, sources: Sources, instructions: str | None) -> Iterator[Finding]:
        found = {name: Found(shown) for name, shown in self._places.shown.items()}
        for row, first in self.pairs(sources, instructions):
            self._say(found, row, first)
        for one in found.values():
            yield from one.all()

    def pairs(self, sources: Sources, instructions: str | None) -> Iterator[tuple[int, int]]:
        """Rows in order, counted through all splits, each with an earlier one that it is like."""
        if self._bands is None:
            return
        candidates = self._bands.candidates(0.6 * _ALIKE)
        wanted = {row for pair in candidates.items() for row in pair}
        kept = self._read_again(sources, instructions, wanted) if wanted else {}
        for row, first in sorted(candidates.items()):
            if row in kept and first in kept and self._alike(kept[row], kept[first]):
                yield row, first

    def _read_again(
        self, sources: Sources, instructions: str | None, wanted: set[int]
    ) -> Mapping[int, _Text]:
        """What is compared, of the rows that are candidates; a line that changed since is none."""
        from jobs.runner.findings.signatures import pairs

        rows = {self._places.of(row): row for row in wanted}
        kept = {}
        for name, source in sources.items():
            numbers = {number for of, number in rows if of == name}
            with suppress(OSError):  # of a file that changed: what the first reading said, holds
                for number, line in _these(source, numbers):
                    with suppress(BadExample):
                        example = parse(line, instructions)
                        texts = normal(example.asked), normal(example.answer)
                        shared = pairs(self._body(example.dialogue))
                        kept[rows[name, number]] = (shared, *texts)
        return kept

    def _body(self, dialogue: str) -> bytes:
        """Without what all share."""
        return dialogue.encode().removeprefix(self._prefix).removesuffix(self._suffix)

    def _alike(self, one: _Text, other: _Text) -> bool:
        """Those that are the same but for case and the like are repeats, and said as such."""
        (pairs, asked, answer), (other_pairs, other_asked, other_answer) = one, other
        if asked == other_asked or (self._same_answer and answer != other_answer):
            return False
        both = len(pairs & other_pairs)
        return both >= _ALIKE * (len(pairs) + len(other_pairs) - both)

    def _say(self, found: Mapping[SplitName, Found], row: int, first: int) -> None:
        (split, line), (other, first_line) = self._places.of(row), self._places.of(first)
        if split == other:
            found[split].add(rules.NEARLY, line, f"is nearly the same as line {first_line}")
        else:
            where = self._places.data(first)
            what = f"is nearly the same as one of the {where}"
            found[split].add(rules.LEAKED_NEARLY, line, what)


def _these(source: Source, numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    """Some lines of many."""
    for block in blocks(source):
        for number in numbers.intersection(range(block.first, block.first + len(block))):
            if (line := block.lines[number - block.first]) is not None:
                yield number, line
