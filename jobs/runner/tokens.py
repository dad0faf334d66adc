"""Tokens: how many texts are likely to have, by script and language; the service is not asked.

A text has so many words, letters, digits, marks, line ends and gaps. `token_rates.json` says how
many tokens each of them is worth, and how far such a guess was off on texts that it was not made
from; tests/benchmarks/calibration.py wrote it, and says from which texts and by what tokenizer.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("token_rates.json")

LATIN, OTHER, ENGLISH = "Latin", "another script", "English"
SCRIPTS: Mapping[str, str] = {
    LATIN: "A-Za-zª-ºÀ-ÖØ-öø-ʯ\u0300-\u036f\u1e00-\u1eff",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f",
    "Armenian": "\u0530-\u058f",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
    "Devanagari": "\u0900-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Telugu": "\u0c00-\u0c7f",
    "Kannada": "\u0c80-\u0cff",
    "Malayalam": "\u0d00-\u0d7f",
    "Thai": "\u0e00-\u0e7f",
    "Georgian": "\u10a0-\u10ff",
    "Korean": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "Khmer": "\u1780-\u17ff",
    "Japanese": "\u3040-\u30ff",
    "Chinese": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
}
SHARED = ("digit", "mark", "line", "gap")  # worth the same whatever the script
_RUNS = "".join(f"([{letters}]+)|" for letters in SCRIPTS.values())
_PIECE = re.compile(f"{_RUNS}([^\\W\\d_]+)|(\\d)|([^\\w\\s]|_)|(\\n+)|([^\\S\\n]{{2,}})")
_KINDS = ("", *SCRIPTS, OTHER, *SHARED)  # of each group of the pattern
_WORD = re.compile("[A-Za-z]+")
_ASCII = {
    "digit": re.compile("[0-9]"),
    "mark": re.compile(r"[^\sA-Za-z0-9]"),
    "line": re.compile("\n+"),
    "gap": re.compile(r"[^\S\n]{2,}"),
}
_LEAST_USUAL = 0.1  # of the words of a text in a language are among its most usual ones


@dataclass(frozen=True)
class Guess:
    """So many tokens; 95 of 100 guesses are off by no more than to `low` or `high`."""

    tokens: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: "Guess") -> "Guess":
        return Guess(self.tokens + other.tokens, self.low + other.low, self.high + other.high)

    def __mul__(self, factor: float) -> "Guess":
        return Guess(self.tokens * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Pieces:
    """What a text is made of: its words by script, and how often what all scripts share."""

    words: Mapping[str, Sequence[str]]
    shared: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Rates:
    """How many tokens things are worth, by group: a language, else a script."""

    shared: Mapping[str, float]
    groups: Mapping[str, Mapping[str, float]]  # word, letter, low, high
    usual: Mapping[str, Mapping[str, str]]  # script -> usual word -> its language


def guess(texts: Sequence[str]) -> Guess:
    """Of some texts together; a short text is taken for the language of most of the others."""
    known, total = rates(), Guess()
    for groups, shared in grouped([pieces(text) for text in texts], known.usual):
        total += _worth(groups, shared, known)
    return total


def _worth(groups: Mapping[str, Sequence[int]], shared: Counter[str], known: Rates) -> Guess:
    common = sum(known.shared[kind] * count for kind, count in shared.items())
    worth = {
        group: known.groups[group]["word"] * words + known.groups[group]["letter"] * letters
        for group, (words, letters) in groups.items()
    }
    tokens = sum(worth.values()) + common
    if not any(worth.values()):
        worth = {LATIN: 1.0}  # digits and marks alone are as uncertain as an unknown language
    total = sum(worth.values())
    low = sum(known.groups[group]["low"] * part for group, part in worth.items()) / total
    high = sum(known.groups[group]["high"] * part for group, part in worth.items()) / total
    return Guess(tokens, tokens * low, tokens * high)


def grouped(
    found: Sequence[Pieces], usual: Mapping[str, Mapping[str, str]]
) -> list[tuple[dict[str, tuple[int, int]], Counter[str]]]:
    """Of each text: words and letters by group, and what is shared."""
    named = [
        {s: _language(words, usual.get(s, {})) for s, words in one.words.items()} for one in found
    ]
    most: dict[str, Counter[str]] = defaultdict(Counter)
    for one, names in zip(found, named, strict=True):
        for script, name in names.items():
            if name:
                most[script][name] += len(one.words[script])
    every = {script: count.most_common(1)[0][0] for script, count in most.items()}
    return [
        (groups_of(one, {s: name or every.get(s) for s, name in names.items()}), one.shared)
        for one, names in zip(found, named, strict=True)
    ]


def groups_of(one: Pieces, names: Mapping[str, str | None]) -> dict[str, tuple[int, int]]:
    sizes = {script: (len(words), sum(map(len, words))) for script, words in one.words.items()}
    most = max(sizes, key=lambda script: sizes[script][1], default=None)
    groups: dict[str, tuple[int, int]] = {}
    for script, size in sizes.items():
        # A few words in Latin letters among others are names and terms.
        group = names[script] or (ENGLISH if script == LATIN != most else script)
        before = groups.get(group, (0, 0))
        groups[group] = (before[0] + size[0], before[1] + size[1])
    return groups


def _language(words: Iterable[str], usual: Mapping[str, str]) -> str | None:
    """The language whose usual words are in a text; None if it shows too few of any."""
    count = 0
    hits: Counter[str] = Counter()
    for word in words:
        count += 1
        if name := usual.get(word.lower()):
            hits[name] += 1
    name, number = hits.most_common(1)[0] if hits else ("", 0)
    return name if number > _LEAST_USUAL * count else None


def pieces(text: str) -> Pieces:
    if text.isascii():
        counts = {kind: len(_ASCII[kind].findall(text)) for kind in SHARED}
        words = _WORD.findall(text)
        return Pieces({LATIN: words} if words else {}, Counter(counts))
    found: dict[str, list[str]] = defaultdict(list)
    for piece in _PIECE.finditer(text):
        found[_KINDS[piece.lastindex or 0]].append(piece[0])
    shared = Counter({kind: len(found.pop(kind, ())) for kind in SHARED})
    return Pieces(found, shared)


@cache
def rates() -> Rates:
    return read(json.loads(_FILE.read_text("utf-8")))


def read(values: Mapping[str, Any]) -> Rates:
    usual: dict[str, dict[str, str]] = defaultdict(dict)
    for name, language in values["languages"].items():
        usual[language["script"]] |= dict.fromkeys(language["words"], name)
    return Rates(values["shared"], values["groups"], usual)
