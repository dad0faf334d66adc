"""Prompts: whether all are written alike: the same fields in the same order, one instruction."""

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

_LONGEST = 40  # what stands before a colon is shorter, where it names a field
_BEFORE_COLON = re.compile(f"\n([^\n:]{{1,{_LONGEST - 1}}}):").findall
_JOINS = str.maketrans("", "", " _-")
_MOST_SHAPES = 1000
_LEAST_EXAMPLES = 20
_USUAL = 0.9  # of the prompts of a split make a shape the usual one

Shape = tuple[str, ...]  # the names of the fields of a prompt, in their order


class Prompts:
    """Shapes are numbered; of each example only the number is kept."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}
        self._numbers: dict[Shape, int] = {}
        self._known: dict[tuple[str, ...], int] = {}  # by what stands before colons
        self._shapes: dict[SplitName, array[int]] = {}
        self._lines: dict[SplitName, array[int]] = {}

    def take(self, rows: Rows) -> None:
        self._found.setdefault(rows.split, Found(rows.shown))
        self._lines.setdefault(rows.split, array("L")).extend(rows.numbers)
        shapes = self._shapes.setdefault(rows.split, array("L"))
        starts = _starts(rows.prompts)
        first, number = starts[0], self._number(starts[0])
        shapes.extend([number if one is first else self._number(one) for one in starts])

    def _number(self, starts: tuple[str, ...]) -> int:
        if (known := self._known.get(starts)) is not None:
            return known
        shape = tuple(dict.fromkeys(filter(_is_field, starts)))
        if shape not in self._numbers and len(self._numbers) > _MOST_SHAPES:
            shape = ("…",)
        number = self._numbers.setdefault(shape, len(self._numbers))
        if len(self._known) < _MOST_SHAPES:
            self._known[starts] = number
        return number

    def findings(self) -> Iterator[Finding]:
        shapes = {number: shape for shape, number in self._numbers.items()}
        usual = {split: self._usual(split, shapes) for split in self._found}
        for split, found in self._found.items():
            wanted, asked = usual.get("train"), usual[split]
            if split != "train" and wanted is not None and asked is not None and wanted != asked:
                what = f"asks with {_named(asked)}; the training data asks with {_named(wanted)}"
                found.add(rules.DRIFT, 0, what)
            if asked:
                self._odd(split, found, asked, shapes)
            yield from found.all()

    def _usual(self, split: SplitName, shapes: dict[int, Shape]) -> Shape | None:
        """The fields that nearly all prompts have; None where there are too few to say."""
        numbers = self._shapes[split]
        if len(numbers) < _LEAST_EXAMPLES:
            return None
        count = Counter(numbers)
        for number, _ in count.most_common(3):
            shape = shapes[number]
            with_it = sum(n for other, n in count.items() if _has(shapes[other], shape))
            if shape and with_it >= _USUAL * len(numbers):
                return shape
        return ()

    def _odd(self, split: SplitName, found: Found, usual: Shape, shapes: dict[int, Shape]) -> None:
        odd = {number for number, shape in shapes.items() if not _has(shape, usual)}
        for line, number in zip(self._lines[split], self._shapes[split], strict=True):
            if number in odd:
                what = f"asks with {_named(shapes[number])}; the others ask with {_named(usual)}"
                found.add(rules.ODD_PROMPT, line, what)


def _starts(prompts: Sequence[str]) -> Sequence[tuple[str, ...]]:
    """What stands before the first colon of each line, looked for once where it is the usual."""
    head, tail = _frame(prompts[0])
    usual, colons, least = _before_colons(head + tail), f"{head}{tail}".count(":"), len(head + tail)
    framed = [p.startswith(head) and p.endswith(tail) and len(p) >= least for p in prompts]
    if all(framed) and "".join(prompts).count(":") == colons * len(prompts):
        return [usual] * len(prompts)
    both = zip(prompts, framed, strict=True)
    return [usual if f and p.count(":") == colons else _before_colons(p) for p, f in both]


def _frame(prompt: str) -> tuple[str, str]:
    """From the start to the first colon, and from the start of the last colon's line to the end.

    What starts and ends so, and has no other colon, has the same before each.
    """
    start, colon, rest = prompt.partition(":")
    line = rest.rfind("\n", 0, max(rest.rfind(":"), 0))
    return (start + colon) if colon else "", rest[line:] if line >= 0 else ""


def _before_colons(prompt: str) -> tuple[str, ...]:
    if "\n" in prompt:
        return tuple(_BEFORE_COLON("\n" + prompt))
    place = prompt.find(":")
    return (prompt[:place],) if 0 < place < _LONGEST else ()


def _is_field(start: str) -> bool:
    """What stands at the start of a line before a colon names a field if it is of letters."""
    return start.isalpha() or (start[0].isalpha() and start.translate(_JOINS).isalpha())


def _has(shape: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether all that is wanted is there, in this order; a text may hold what looks like more."""
    fields = iter(shape)
    return all(any(field == one for field in fields) for one in wanted)


def _named(shape: Shape) -> str:
    return ", ".join(f'"{field}:"' for field in shape) or "no fields"
