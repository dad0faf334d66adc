"""Planted defects: files of examples that look real, with faults at lines that are known."""

import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

Row = tuple[str, str]  # prompt, answer
Planted = set[tuple[str, str, int]]  # rule, split, line

_PER_RULE = 20
_REMEMBERED = 5000  # rows, from which repeats are made
_SYLLABLES = [
    a + b for a in "bcdfghjklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")
]


def vocabulary(chance: random.Random, count: int = 20_000) -> list[str]:
    words = ("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(3 * count))
    return list(dict.fromkeys(words))[:count]


@dataclass
class Author:
    """Writes rows that have nothing to be found in them."""

    chance: random.Random
    words: list[str]

    def sentence(self, least: int = 8, most: int = 14) -> str:
        words = self.chance.choices(self.words, k=self.chance.randint(least, most))
        return f"{words[0].capitalize()} {' '.join(words[1:])}."

    def text(self, sentences: int) -> str:
        return " ".join(self.sentence() for _ in range(sentences))

    def summary(self) -> Row:
        return f"Sum up the text.\nText: {self.text(6)}\nSummary:", self.sentence()

    def topic(self) -> Row:
        classes = ("sports", "business", "health", "politics")
        return f"Name the topic.\nText: {self.text(2)}\nTopic:", self.chance.choice(classes)

    def question(self) -> Row:
        text = self.text(5)
        words = text.split()
        start = self.chance.randrange(len(words) - 3)
        answer = " ".join(words[start : start + 3])
        return f"question: {self.sentence(5, 8)[:-1]}? context: {text}", answer


def line_of(row: Row) -> bytes:
    body = {"input_text": row[0], "output_text": row[1]}
    return json.dumps(body, ensure_ascii=False).encode() + b"\n"


def turns(*roles: str) -> bytes:
    said = [{"role": role, "parts": [{"text": f"what the {role} says"}]} for role in roles]
    return json.dumps({"contents": said}).encode() + b"\n"


def _with(text: str) -> Callable[[Row], Row]:
    """The row with a text in the middle of its prompt."""
    return lambda row: (row[0].replace(". ", f". {text} ", 1), row[1])


def _other_word(row: Row) -> Row:
    words = row[0].split(" ")
    words[len(words) // 2] = "otherwise"
    return " ".join(words), row[1]


def _spelt(row: Row) -> str:
    """In a way that no other row is likely to be: a class is said once for each."""
    return row[1] + format(crc32(row[0].encode()), "b").replace("1", "!").replace("0", "?")


GITHUB = "ghp" + "_" + "a1B2" * 9

# A line of its own instead of a row.
LINES: dict[str, bytes] = {
    "VT-D005": b'{"input_text": "caf\xe9", "output_text": "b"}\n',
    "VT-D006": b"\n",
    "VT-D008": b'{"input_text": "a", "output_text": "b",}\n',
    "VT-D009": b'{"input_text": "a\x00", "output_text": "b"}\n',
    "VT-D010": b'["a", "b"]\n',
    "VT-D011": b"[" * 5000 + b"\n",
    "VT-D012": b'{"input_text": NaN, "output_text": "b"}\n',
    "VT-D013": b'{"input_text": "\\ud800", "output_text": "b"}\n',
    "VT-D014": b'{"input_text": "a", "input_text": "c", "output_text": "b"}\n',
    "VT-D015": b'{"prompt": "a", "completion": "b"}\n',
    "VT-D016": b'{"input_text": "a", "output_text": "b", "messages": []}\n',
    "VT-D017": b'{"input_text": "a", "output_text": "b", "id": 7}\n',
    "VT-D018": b'{"input_text": "a"}\n',
    "VT-D019": turns("human", "model"),
    "VT-D020": turns("user", "user", "model"),
    "VT-D021": turns("user", "model", "user"),
    "VT-D022": b'{"input_text": "a", "output_text": " "}\n',
    "VT-D023": b'{"contents": [{"role": "user", "parts": ["a"]}]}\n',
    "VT-D024": b'{"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "x"}}]}]}\n',
    "VT-D025": b'{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model",'
    b' "parts": [{"text": "b"}]}], "systemInstruction": "x"}\n',
}
# What a good row becomes.
CHANGES: dict[str, Callable[[Row], Row]] = {
    "VT-D043": _with("a\x1b[2J"),
    "VT-D122": lambda row: (row[0], row[1] + " " + row[0].replace("\n", " ") + "."),
    "VT-D123": lambda row: (row[0], row[0].split(". ")[2] + "."),
    "VT-D124": lambda row: (row[0], "None."),
    "VT-D131": lambda row: (row[0].replace("Text: ", ""), row[1]),
    "VT-D132": lambda row: (row[0].replace(". ", ". " + "so it goes on and on, " * 900, 1), row[1]),
    "VT-D140": lambda row: (row[0], f"```{row[1]}"),
    "VT-D141": lambda row: (row[0], f'"{row[1]}'),
    "VT-D142": lambda row: (row[0], row[1][:-1]),
    "VT-D143": _with("cafÃ©"),
    "VT-D144": _with("{{name}}"),
    "VT-D145": lambda row: (row[0], "Так оно и есть, и ничего больше."),
    "VT-D201": _with("-----BEGIN " + "PRIVATE KEY-----"),
    "VT-D202": _with(GITHUB),
    "VT-D203": _with("password: hunter2hunter"),
    "VT-D210": _with("4242 4242 4242 4242"),
    "VT-D211": _with("DE89 3704 0044 0532 0130 00"),
    "VT-D212": _with("ann.lee@acme-mail.net"),
    "VT-D213": _with("+49 30 901820 77"),
    "VT-D214": _with("8.8.8.8"),
}
# What a row is that repeats another one; the same across two splits is a leak.
REPEATS: dict[str, Callable[[Row, Row], Row]] = {
    "VT-D101": lambda old, new: old,
    "VT-D102": lambda old, new: (old[0].replace(" ", "  "), old[1]),
    "VT-D103": lambda old, new: (_other_word(old)[0], new[1]),
    "VT-D104": lambda old, new: (old[0], new[1]),
}
LEAKS = {"VT-D101": "VT-D105", "VT-D102": "VT-D106", "VT-D103": "VT-D107", "VT-D104": "VT-D108"}
CLASSES: dict[str, Callable[[Row], Row]] = {"VT-D110": lambda row: (row[0], _spelt(row))}
UNSEEN: dict[str, Callable[[Row], Row]] = {"VT-D111": lambda row: (row[0], row[0].split()[8])}
EXTRACTS: dict[str, Callable[[Row], Row]] = {
    "VT-D120": lambda row: (row[0], row[1][::-1]),
    "VT-D121": lambda row: (row[0], row[0].partition("context: ")[2]),
}


@dataclass
class File:
    """One split to be written, with what is to be planted in it."""

    split: str
    write: Callable[[], Row]
    lines: dict[str, bytes]
    changes: dict[str, Callable[[Row], Row]]
    repeats: dict[str, Callable[[Row, Row], Row]]

    def write_to(
        self, path: Path, count: int, chance: random.Random, remembered: deque[Row]
    ) -> Planted:
        """`remembered`: rows that were written, here or into the split that is leaked from."""
        kinds = [*self.lines, *self.changes, *self.repeats]
        first = min(1000, count // 4)
        places = chance.sample(range(first, count), min(_PER_RULE * len(kinds), count // 4))
        plan = {place: kinds[i % len(kinds)] for i, place in enumerate(places)}
        planted: Planted = set()
        leaks, own = self.split != "train", deque[Row](remembered, _REMEMBERED)
        with path.open("wb") as stream:
            for place in range(count):
                rule, row = plan.get(place), self.write()
                stream.write(self._line(rule, row, own, chance))
                if rule:
                    said = LEAKS.get(rule, rule) if leaks else rule
                    planted.add((said, self.split, place + 1))
                elif not leaks:
                    own.append(row)
        remembered.extend(own)
        return planted

    def _line(self, rule: str | None, row: Row, own: deque[Row], chance: random.Random) -> bytes:
        if rule in self.lines:
            return self.lines[rule]
        if rule in self.changes:
            return line_of(self.changes[rule](row))
        if rule in self.repeats:
            place = chance.randrange(len(own))
            old = own[place]
            del own[place]  # repeated once only
            return line_of(self.repeats[rule](old, row))
        return line_of(row)


def write(folder: Path, task: str, count: int, seed: int) -> Planted:
    """A dataset of `count` training examples and a twentieth of it for tests."""
    chance = random.Random(f"{task}{seed}")
    author = Author(chance, vocabulary(chance))
    planted: Planted = set()
    remembered: deque[Row] = deque(maxlen=_REMEMBERED)
    for file, number in _files(task, author, count):
        planted |= file.write_to(folder / f"{file.split}.jsonl", number, chance, remembered)
    return planted


def _files(task: str, author: Author, count: int) -> Iterator[tuple[File, int]]:
    if task == "summarization":
        yield File("train", author.summary, LINES, CHANGES, REPEATS), count
        yield File("test", author.summary, {}, {}, REPEATS), count // 20
    elif task == "classification":
        yield File("train", author.topic, {}, CLASSES, {}), count
        yield File("test", author.topic, {}, UNSEEN, {}), count // 20
    else:
        yield File("train", author.question, {}, EXTRACTS, {}), count
