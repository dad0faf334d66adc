"""Every rule of data: the least that it is found in, and what looks like it and is right."""

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import pytest

from jobs.runner.rules import RULES
from tests.runner.findings.datasets import Data, findings, ids

TURN = '{"role": "user", "parts": [{"text": "a"}]}'
MODEL = '{"role": "model", "parts": [{"text": "b"}]}'
GOOD = b'{"input_text": "a", "output_text": "b"}\n'
FILE = '{"fileData": {"mimeType": "image/png", "fileUri": "gs://b/o.png"}}'


class Case(NamedTuple):
    """`bad` and `good` are training data, or several splits."""

    bad: Data
    good: Data
    task: str = "chat"


def contents(*turns: str, more: str = "") -> bytes:
    return f'{{"contents": [{", ".join(turns)}]{more}}}\n'.encode()


def user(part: str) -> bytes:
    return contents(f'{{"role": "user", "parts": [{part}]}}', MODEL)


FORM = {
    "VT-D003": Case(b"", GOOD),
    "VT-D004": Case(b"\xef\xbb\xbf" + GOOD, GOOD),
    "VT-D005": Case(GOOD.replace(b"a", b"\xff"), GOOD.replace(b"a", "ä".encode())),
    "VT-D006": Case(GOOD + b"\n" + GOOD, GOOD),
    "VT-D007": Case(b'{"input_text": "' + b"a" * (4 << 20) + b'"}', GOOD),
    "VT-D008": Case(b'{"input_text": "a",}', GOOD.replace(b'"a"', b'  "a"  ')),
    "VT-D009": Case(GOOD.replace(b"a", b"\0"), GOOD.replace(b"a", b"\\\\0")),
    "VT-D010": Case(b"[1]", GOOD),
    "VT-D011": Case(b"[" * 100_000, contents(TURN, MODEL, more=', "tools": [{"a": [[[]]]}]')),
    "VT-D012": Case(b'{"input_text": NaN}', GOOD.replace(b"a", b"NaN")),
    "VT-D013": Case(GOOD.replace(b"a", b"\\ud800"), GOOD.replace(b"a", b"\\ud83d\\ude00")),
    "VT-D014": Case(
        b'{"input_text": "a", "input_text": "c", "output_text": "b"}',
        b'{"input_text": "a \\"input_text\\": c", "output_text": "b"}',
    ),
    "VT-D015": Case(b'{"prompt": "a"}', GOOD),
    "VT-D016": Case(
        b'{"input_text": "a", "output_text": "b", "messages": []}',
        b'{"input_text": "messages", "output_text": "contents"}',
    ),
    "VT-D017": Case(
        b'{"input_text": "a", "output_text": "b", "id": 1}',
        b'{"input_text": "id", "output_text": "b"}',
    ),
    "VT-D018": Case(b'{"input_text": "a"}', GOOD),
    "VT-D019": Case(
        contents(TURN.replace("user", "human"), MODEL), contents(TURN, MODEL, TURN, MODEL)
    ),
    "VT-D020": Case(contents(TURN, TURN, MODEL), contents(TURN, MODEL, TURN, MODEL)),
    "VT-D021": Case(contents(TURN, MODEL, TURN), contents(TURN, MODEL)),
    "VT-D022": Case(b'{"input_text": " ", "output_text": "b"}', GOOD),
    "VT-D023": Case(user('{"image": "x"}'), user('{"text": "x"}')),
    "VT-D024": Case(user(FILE.replace("gs://", "https://")), user(FILE)),
    "VT-D025": Case(
        contents(TURN, MODEL, more=', "systemInstruction": "x"'),
        contents(TURN, MODEL, more=', "systemInstruction": {"parts": [{"text": "x"}]}'),
    ),
    "VT-D027": Case(
        contents(TURN, MODEL, more=', "tools": {}'), contents(TURN, MODEL, more=', "tools": [{}]')
    ),
    "VT-D028": Case(gzip.compress(GOOD), GOOD.replace(b"a", b"PK\\u0003")),
    "VT-D040": Case(GOOD.replace(b"\n", b"\r\n"), GOOD),
    "VT-D041": Case(GOOD + contents(TURN, MODEL), GOOD + GOOD),
    "VT-D042": Case(
        contents(TURN, MODEL, more=', "systemInstruction": {"parts": [{"text": "x"}]}')
        + contents(TURN, MODEL),
        contents(TURN, MODEL) * 2,
    ),
    "VT-D043": Case([("a\x1b[2J", "b")], [("a\tb\nc", "b")]),
}


def numbered(count: int, answer: str = "It is so.") -> list[tuple[str, str]]:
    """Examples that have nothing in common with each other."""
    return [(_words(i), answer) for i in range(count)]


def _words(seed: int, count: int = 12) -> str:
    """Words that no other seed has; made of letters alone."""
    letters = "bcdfghklmnprstvw"
    stem = "".join(letters[(seed >> shift) % 16] + "a" for shift in (8, 4, 0))
    return " ".join(f"{stem}{letters[i % 16]}{'o' * (i // 16 + 1)}" for i in range(count))


LONG = _words(7, 16) + " " + _words(8, 16)
CHANGED = LONG.replace(LONG.split()[5], "otherwise")
SENTENCE = "This is a whole sentence that answers the question."
ASKED = [(f"question: {_words(i)}\ntext: {_words(i + 100)}", SENTENCE) for i in range(30)]
SYSTEM = ', "systemInstruction": {{"parts": [{{"text": "{}"}}]}}'
LABELS = [(_words(i), ("sports", "business")[i % 2]) for i in range(40)]

SUBSTANCE = {
    "VT-D101": Case([("a", "b"), ("a", "b")], [("a", "b"), ("c", "b")]),
    "VT-D102": Case([("a b", "c"), ("A  b!", "C")], [("3+4", "c"), ("3-4", "c"), ("1.5", "c")]),
    "VT-D103": Case(
        [(LONG, "x"), (CHANGED, "y")], [(LONG, "x"), (LONG[: len(LONG) // 2] + _words(9, 16), "y")]
    ),
    "VT-D104": Case([("a", "b"), ("a", "c")], [("a", "b"), ("c", "d")]),
    "VT-D105": Case(
        {"train": [("a", "b")], "test": [("a", "b")]}, {"train": [("a", "b")], "test": [("c", "b")]}
    ),
    "VT-D106": Case(
        {"train": [("a b", "c")], "test": [("A b", "c")]},
        {"train": [("a b", "c")], "test": [("A c", "c")]},
    ),
    "VT-D107": Case(
        {"train": [(LONG, "x")], "test": [(CHANGED, "y")]},
        {"train": [(LONG, "x")], "test": [(_words(9, 32), "y")]},
    ),
    "VT-D108": Case(
        {"train": [("a", "b")], "test": [("a", "c")]}, {"train": [("a", "b")], "test": [("d", "c")]}
    ),
    "VT-D110": Case([*LABELS, ("new", "Sports")], [*LABELS, ("new", "sports")], "classification"),
    "VT-D111": Case(
        {"train": LABELS, "test": [("new", "health")]},
        {"train": LABELS, "test": [("new", "Sports")]},
        "classification",
    ),
    "VT-D112": Case(
        [*numbered(40, "sports"), ("new", "business")],
        [*numbered(40, "sports"), *[(_words(i), "business") for i in range(90, 94)]],
        "classification",
    ),
    "VT-D113": Case(numbered(40, "sports"), LABELS, "classification"),
    "VT-D114": Case(
        {"train": LABELS, "test": [("new", "sports")]},
        {"train": LABELS, "test": [("new", "sports"), ("newer", "business")]},
        "classification",
    ),
    "VT-D115": Case([(_words(i), _words(i + 50)) for i in range(40)], LABELS, "classification"),
    "VT-D120": Case(
        [("question: who? context: The dog barks.", "the cat")],
        [("question: who? context: The  DOG barks.", "the dog")]
        + [(f"question: {_words(i)} context: {_words(i + 50)}", "unknown") for i in range(3)],
        "extractive_qa",
    ),
    "VT-D121": Case(
        [("question: who? context: The dog barks.", "The dog barks")],
        [("question: who? context: The dog barks.", "The dog")],
        "extractive_qa",
    ),
    "VT-D122": Case(
        [("a b", "a much longer text")], [("a much longer text", "a b")], "summarization"
    ),
    "VT-D123": Case(
        [(f"First. {SENTENCE} Last.", SENTENCE)],
        [(f"First. {LONG} Last.", SENTENCE)],
        "summarization",
    ),
    "VT-D124": Case([*numbered(40, SENTENCE), ("new", "N/A")], numbered(40, "Yes"), "chat"),
    "VT-D130": Case(
        {"train": ASKED, "test": [(p.replace("question", "q"), a) for p, a in ASKED]},
        {"train": ASKED, "test": ASKED},
    ),
    "VT-D131": Case(
        [*ASKED, ("What is it?", SENTENCE)], [*ASKED, ("question: x\nnote: y\ntext: z", "b.")]
    ),
    "VT-D132": Case([*numbered(40), ("a" * 5000, "b")], [*numbered(40), ("a" * 1500, "b")]),
    "VT-D140": Case([("a", "```python\nx = 1")], [("a", "```python\nx = 1\n```")]),
    "VT-D141": Case([("a", 'She said "yes.')], [("a", 'A screen of 27" and more.')]),
    "VT-D142": Case(
        [*numbered(40), ("new", "It stops in the")],
        [*numbered(40), ("new", "It stops in the end.")],
    ),
    "VT-D143": Case([("a", "cafÃ©")], [("a", "café, Ärger, Âme")]),
    "VT-D144": Case([("a", "Dear {{name}},")], [("a", "Dear {name}, {}")]),
    "VT-D145": Case(
        [*numbered(40), ("a", "Так и есть.")], [*numbered(40), ("a", "Voilà, c'est très bien.")]
    ),
}

# Put together here, so that no scanner of secrets takes this file for one that holds some.
PRIVATE = "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQ"
GITHUB = "ghp" + "_" + "a1B2" * 9
SECRETS = {
    "VT-D201": Case([("a", PRIVATE)], [("a", "-----BEGIN CERTIFICATE-----")]),
    "VT-D202": Case([(f"Use {GITHUB} now", "b")], [("a", "ghp_short, sk-learn, AIzawa")]),
    "VT-D203": Case(
        [("a", 'password: "hunter2hunter"')],
        [("a", "The password: it was forgotten, https://a.b:80/@x")],
    ),
    "VT-D210": Case([("4111 1111 1111 1111 is", "b")], [("4111 1111 1111 1112 is", "b")]),
    "VT-D211": Case([("DE89 3704 0044 0532 0130 00", "b")], [("DE89 3704 0044 0532 0130 01", "b")]),
    "VT-D212": Case([("Ask ann.lee@acme-mail.net", "b")], [("ann@example.com, @ann, a@b", "b")]),
    "VT-D213": Case([("Call +49 30 901820 77", "b")], [("212-555-0123, 2026-11-23 10:30", "b")]),
    "VT-D214": Case([("From 8.8.8.8 on", "b")], [("10.0.0.1, 192.0.2.1 and 1.2.3.4.5", "b")]),
}
CASES = FORM | SUBSTANCE | SECRETS
# These are about a spec, its sizes or its files; test_check, test_desired, commands/test_check and
# test_attached have them.
ELSEWHERE = {id for id in RULES if id.startswith("VT-S")} | {
    *("VT-D001", "VT-D002", "VT-D026", "VT-D030", "VT-D031", "VT-D032", "VT-D033", "VT-D034"),
    *("VT-D036", "VT-D037", "VT-D038"),
    *("VT-D029", "VT-D044", "VT-D045"),
}


def found(root: Path, case: Case, data: Data) -> set[str]:
    return ids(findings(root, case.task, data))


@pytest.mark.parametrize("id", CASES)
def test_it_is_found(id: str, tmp_path: Path) -> None:
    assert id in found(tmp_path, CASES[id], CASES[id].bad)


@pytest.mark.parametrize("id", CASES)
def test_what_only_looks_like_it_is_not(id: str, tmp_path: Path) -> None:
    assert id not in found(tmp_path, CASES[id], CASES[id].good)


def test_every_rule_has_a_case() -> None:
    assert set(CASES) | ELSEWHERE == set(RULES)
    assert not set(CASES) & ELSEWHERE


@pytest.mark.parametrize("id", FORM)
def test_a_fault_of_form_is_told_from_all_others(id: str, tmp_path: Path) -> None:
    """No other rule of form fires: each fault has one name."""
    assert found(tmp_path, FORM[id], FORM[id].bad) & set(FORM) == {id}


def test_no_secret_is_shown_in_any_finding(tmp_path: Path) -> None:
    whole = {
        "VT-D202": GITHUB,
        "VT-D203": "hunter2hunter",
        "VT-D210": "4111 1111 1111 1111",
        "VT-D211": "DE89 3704 0044 0532 0130 00",
        "VT-D212": "ann.lee@acme-mail.net",
        "VT-D213": "+49 30 901820 77",
        "VT-D214": "8.8.8.8",
    }
    for id, secret in whole.items():
        shown = json.dumps([str(one) for one in findings(tmp_path, "chat", CASES[id].bad)])
        assert id in shown
        assert secret not in shown
        assert secret[len(secret) // 4 + 1 :] not in shown
