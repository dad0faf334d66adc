"""Texts: what is torn, damaged or left over in them."""

import re
from collections.abc import Callable, Iterator

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
_NO_CONTROL = bytes(sorted({*range(256)} - {*range(9), 11, 12, *range(14, 32), 127}))
_LEFTOVER_STARTS = (b"orem ipsum", b"n AI language", b"[insert ", b"[Insert ", b"{{", b"<your")
_DAMAGED_STARTS = tuple(map(str.encode, ("\xc3", "\xe2\u20ac", "\xc2", "\ufffd")))

Look = Callable[[str], str | None]


class Texts:
    """Rare things are looked for in many texts at once, and only then in each of them."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        whole = rows.whole
        if _holds(whole, b"```"):
            self._look(rows, found, rules.FENCE, _fence)
        if not whole.isascii() and any(start in whole for start in _DAMAGED_STARTS):
            self._look(rows, found, rules.DAMAGED, _damaged)
        if any(_holds(whole, start) for start in _LEFTOVER_STARTS):
            self._look(rows, found, rules.LEFTOVER, _leftover)
        if whole.translate(None, _NO_CONTROL):
            self._look(rows, found, rules.CONTROL, _control)
        for line, answer in zip(rows.numbers, rows.answers, strict=True):
            if said := _unbalanced(answer):
                found.add(rules.UNBALANCED, line, said)

    def _look(self, rows: Rows, found: Found, rule: Rule, look: Look) -> None:
        for line, prompt, answer in zip(rows.numbers, rows.prompts, rows.answers, strict=True):
            if said := look(answer) or look(prompt):
                found.add(rule, line, said)

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()


def _holds(whole: bytes, start: bytes) -> bool:
    """One byte is looked for many times as fast as several: first the one that is rare."""
    return start[:1] in whole and start in whole


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
            if self._is_cut(text)
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
