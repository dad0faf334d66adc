"""Scripts: answers in another script than nearly all others of their split."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

_USUAL = 0.95
_LEAST_EXAMPLES = 20
_LATIN = re.compile("[A-Za-z]")
_OTHER = "[\u0370-\ufefc\U00010000-\U0002ffff]"  # compiled when it is needed
_LETTERS = 40  # that are looked at
_CJK = "Chinese or Japanese"  # one text holds several of these
_ONE = {"CJK": _CJK, "HIRAGANA": _CJK, "KATAKANA": _CJK, "KATAKANA-HIRAGANA": _CJK}


class Scripts:
    def __init__(self) -> None:
        self._found: dict[SplitName, dict[str, Found]] = {}
        self._count: dict[SplitName, Counter[str]] = {}

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, {})
        count = self._count.setdefault(rows.split, Counter())
        scripts = [
            "Latin" if one.isascii() and one[:1].isalpha() else _script(one) for one in rows.answers
        ]
        for script, number in Counter(scripts).items():
            if script is None:
                continue
            if script not in found:
                found[script] = Found(rows.shown)
            both = zip(rows.numbers, scripts, strict=True)
            alone = number == len(scripts)
            lines = rows.numbers if alone else [line for line, one in both if one == script]
            what = f"has an answer in {script}, which nearly no other has"
            found[script].add_all(rules.SCRIPT, lines, what)
            count[script] += number

    def findings(self) -> Iterator[Finding]:
        for split, count in self._count.items():
            if count.total() < _LEAST_EXAMPLES:
                continue
            (usual, number), *_ = count.most_common(1)
            if number >= _USUAL * count.total():
                for script, found in self._found[split].items():
                    if script != usual:
                        yield from found.all()


def _script(text: str) -> str | None:
    """The script of most letters of a text; None where it has none."""
    if text.isascii() or not re.search(_OTHER, text):
        return "Latin" if _LATIN.search(text) else None
    letters = [character for character in text if character.isalpha()][:_LETTERS]
    names = Counter(map(_script_of, letters))
    return names.most_common(1)[0][0] if names else None


def _script_of(letter: str) -> str:
    name = unicodedata.name(letter, "?").split()[0]
    return _ONE.get(name, name.capitalize())
