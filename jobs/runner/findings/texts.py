"""Texts: what is torn, damaged or left over in them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, Rule

# UTF-8 that was read as Latin-1 or Windows-1252, and what stands for bytes that are no UTF-8.
_DAMAGED = re.compile("Ã[\x80-\xbf©¨¤¶¼Ÿ±³¡º§]|â€|Â[\xa0-\xbf]|\ufffd")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEFTOVER = re.compile(
    r"lorem ipsum|as an ai language model|\[insert [a-z ]{2,40}\]|\{\{ ?[a-z_.]+ ?\}\}|<your[_ -]",
    re.IGNORECASE,
)

Look = Callable[[str], str | None]


class Texts:
    """What is rare is looked for only where it may be, the rest in all answers."""

    marks: Mapping[str, str] = {
        "fence": "```",
        "damage": r"\xc3\x83|\xc3\xa2\xe2\x82\xac|\xc3\x82|\xef\xbf\xbd",
        "leftover": r"(?i)lorem ipsum|as an ai language model|\[insert |\{\{|<your[_ -]",
        "control": r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]",
    }

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def look(self, rows: Rows, marked: Mapping[str, Sequence[int]]) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        for mark, (rule, look) in _LOOKS.items():
            for row in marked[mark]:
                if said := look(rows.answers[row]) or look(rows.prompts[row]):
                    found.add(rule, rows.numbers[row], said)
        if _may_be_unbalanced("".join(rows.answers)):
            for line, answer in zip(rows.numbers, rows.answers, strict=True):
                if _may_be_unbalanced(answer) and (said := _unbalanced(answer)):
                    found.add(rules.UNBALANCED, line, said)

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()


def _fence(text: str) -> str | None:
    return "has a code fence that is not closed" if text.count("```") % 2 else None


def _damaged(text: str) -> str | None:
    if match := _DAMAGED.search(text):
        return f"holds {match[0]!a}, a text that was decoded in the wrong way"
    return None


def _control(text: str) -> str | None:
    if match := _CONTROL.search(text):
        return f"holds the control character {match[0]!a}"
    return None


def _leftover(text: str) -> str | None:
    if match := _LEFTOVER.search(text):
        return f'holds "{match[0]}", which looks left over'
    return None


_LOOKS: Mapping[str, tuple[Rule, Look]] = {
    "fence": (rules.FENCE, _fence),
    "damage": (rules.DAMAGED, _damaged),
    "leftover": (rules.LEFTOVER, _leftover),
    "control": (rules.CONTROL, _control),
}


def _may_be_unbalanced(text: str) -> bool:
    return any(mark in text for mark in '"{[')


_INCHES = re.compile(r'\d"')


def _unbalanced(answer: str) -> str | None:
    if '"' in answer and answer.count('"') % 2 and not _INCHES.search(answer):
        return "has an answer with a quote that is not closed"
    end = {"{": "}", "[": "]"}.get(answer[:1])
    if end and not answer.rstrip().endswith(end) and answer.count(answer[0]) > answer.count(end):
        return "has an answer with a bracket that is not closed"
    return None


class Endings:
    """Answers that stop in the middle, where nearly all others end a sentence."""

    _LEAST_EXAMPLES = 20
    _USUAL = 0.95
    _ENDS = (
        ".",
        "!",
        "?",
        '"',
        "'",
        ")",
        *"\u201d\u2019\u00bb\u3002\uff01\uff1f\u300d\u2026\u0964\u061f",
    )

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}
        self._whole: dict[SplitName, int] = {}
        self._cut: dict[SplitName, int] = {}

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        cut = [
            line
            for line, text in zip(rows.numbers, rows.answers, strict=True)
            if not text.endswith(self._ENDS) and self._is_cut(text)
        ]
        for line in cut:
            found.add(rules.TRUNCATED, line, "has an answer that ends in the middle of a sentence")
        self._cut[rows.split] = self._cut.get(rows.split, 0) + len(cut)
        self._whole[rows.split] = self._whole.get(rows.split, 0) + len(rows.numbers) - len(cut)

    def _is_cut(self, text: str) -> bool:
        return not text.rstrip().endswith(self._ENDS)

    def findings(self) -> Iterator[Finding]:
        for split, found in self._found.items():
            all_of_it = self._whole[split] + self._cut[split]
            if all_of_it >= self._LEAST_EXAMPLES and self._whole[split] >= self._USUAL * all_of_it:
                yield from found.all()
