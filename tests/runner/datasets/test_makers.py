"""What is made of files of examples: fewer, parted, in another form, without what is secret."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.datasets.convert import convert
from jobs.runner.datasets.dedupe import dedupe
from jobs.runner.datasets.diff import compare, diff, in_short
from jobs.runner.datasets.redact import redact, without
from jobs.runner.datasets.sample import sample
from jobs.runner.datasets.stats import frequent, histogram, stats
from jobs.runner.errors import Problems, VertuneError
from tests.runner.datasets.examples import pairs_of, written
from tests.runner.findings.test_near import changed, text

# Dedupe


@pytest.mark.parametrize(("how", "kept"), [("exact", [0, 1, 3]), ("alike", [0, 3]), ("near", [0])])
def test_of_repeats_the_first_is_kept(how: str, kept: list[int], tmp_path: Path) -> None:
    words = text(1)
    one, near = " ".join(words), " ".join(changed(words, 1, 1))
    pairs = [(one, "x"), (one.upper(), "X!"), (one, "x"), (near, "x")]
    old, to = written(tmp_path / "old.jsonl", pairs), tmp_path / "new.jsonl"
    assert dedupe(old, to, how) == (len(kept), 4 - len(kept))  # type: ignore[arg-type]
    assert pairs_of(to) == [pairs[place] for place in kept]


# Convert


@pytest.mark.parametrize("form", ["messages", "input_text", "prompt_completion"])
def test_there_and_back_nothing_is_lost(form: str, tmp_path: Path) -> None:
    old = written(tmp_path / "old.jsonl", [("a\n€", "b"), ("c", "d")])
    there, back = tmp_path / "there.jsonl", tmp_path / "back.jsonl"
    today = tmp_path / "today.jsonl"
    assert convert(old, today, "contents") == 2
    assert convert(today, there, form) == 2  # type: ignore[arg-type]
    assert convert(there, back, "contents") == 2
    assert back.read_bytes() == today.read_bytes()


def test_what_would_be_lost_is_an_error_that_says_all_of_it(tmp_path: Path) -> None:
    file = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/o"}}
    said = [{"role": role, "parts": [{"text": "x"}]} for role in ("user", "model")]
    system = {"parts": [{"text": "s"}]}
    bodies = [
        {"contents": said},
        {"contents": said, "systemInstruction": system},
        {"contents": [*said, *said]},
        {"contents": [{"role": "user", "parts": [file]}, said[1]]},
    ]
    old, to = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    with pytest.raises(Problems) as caught:
        convert(old, to, "input_text")
    assert [(one.line, one.what.partition(" has ")[0]) for one in caught.value.problems] == [
        (2, "a system instruction"),
        (3, "a conversation of 4 turns"),
        (4, "a file or tool"),
    ]
    assert not to.exists()


def test_lists_and_tables_become_lines(tmp_path: Path) -> None:
    table, listed = tmp_path / "a.csv", tmp_path / "a.json"
    table.write_text('prompt,completion\n"a, ""b""\nc",d\n', "utf-8-sig")
    listed.write_text(json.dumps([{"prompt": 'a, "b"\nc', "completion": "d"}]))
    for old in (table, listed):
        assert convert(old, tmp_path / f"{old.suffix}.jsonl", "input_text") == 1
        assert pairs_of(tmp_path / f"{old.suffix}.jsonl") == [('a, "b"\nc', "d")]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"x,y\n1,2\n", "the first line must name two columns"),
        ("a.csv", b"prompt,prompt,completion\n1,2,3\n", "the first line must name two columns"),
        ("a.json", b'[{"prompt": "1", "prompt": "2", "completion": "3"}]', 'gives "prompt" twice'),
        ("a.jsonl", b'{"prompt": "1", "prompt": "2", "completion": ""}', 'gives "prompt" twice'),
        ("a.csv", b"\xff", "a.csv is not UTF-8; save it as UTF-8"),
        ("a.csv", b"prompt,completion\na," + b"b" * (5 << 20), "a.csv:2: is not CSV: field larger"),
        ("a.json", b"{}", "must be a JSON list"),
        ("a.json", b"[", "is not JSON"),
        ("a.json", b"[7]", "a.json: item 1: is not a JSON object"),
        ("a.json", b"[" * 100_000, "is nested too deeply"),
        ("a.json", b"[" + b"9" * 5000 + b"]", "holds a number that is too long"),
        ("a.json", b"[]", "holds no example"),
        ("a.json", b"\xff\xfe[", "a.json is not UTF-8; save it as UTF-8"),
        ("a.csv", b"prompt,completion\n", "holds no example"),
        ("a.csv", b"prompt,completion\na,b,c\n", "a.csv:2: has more columns than the first line"),
        ("a.jsonl", b'{"prompt": "a"\n', "a.jsonl:1: is not JSON"),
        ("a.csv", b"prompt,completion\na,\n", 'a.csv:2: "output_text" is missing or empty'),
    ],
)
def test_what_cannot_be_read_is_said(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(VertuneError, match=said.replace("(", r"\(")):
        convert(tmp_path / name, tmp_path / "new.jsonl", "contents")
    assert not (tmp_path / "new.jsonl").exists()


# Redact


def test_a_list_that_is_too_large_to_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(VertuneError, match="is larger than 256 MiB; write it as lines"):
        convert(path, tmp_path / "new.jsonl", "contents")


def test_secrets_are_replaced_by_what_they_were(tmp_path: Path) -> None:
    token = "ghp" + "_" + "a1B2" * 9
    pairs = [(f"Use {token}, ask ann@acme-mail.net", "password: hunter2hunter"), ("a", "b")]
    old, to = written(tmp_path / "old.jsonl", pairs), tmp_path / "new.jsonl"
    assert redact(old, to) == {"token of GitHub": 1, "e-mail address": 1, "password": 1}
    assert pairs_of(to) == [
        ("Use [token of GitHub], ask [e-mail address]", "password: [password]"),
        ("a", "b"),
    ]
    assert to.read_bytes().splitlines()[1] == old.read_bytes().splitlines()[1]


@given(st.text(st.characters(exclude_categories=["N", "Cs"]), max_size=80))
def test_what_was_redacted_has_nothing_left_to_redact(some: str) -> None:
    card = "4242 4242 4242 4242"
    once = without(f"{some} {card} {some}", Counter())
    assert card not in once
    again: Counter[str] = Counter()
    assert without(once, again) == once
    assert not again


# Sample, stats, diff


def test_a_sample_is_the_same_each_time_and_in_order(tmp_path: Path) -> None:
    pairs = [(f"prompt {i}", "x") for i in range(50)]
    old = written(tmp_path / "old.jsonl", pairs)
    assert sample(old, tmp_path / "a", 10, 1) == sample(old, tmp_path / "b", 10, 1) == 10
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    chosen = pairs_of(tmp_path / "a")
    assert chosen == [pair for pair in pairs if pair in chosen]
    sample(old, tmp_path / "c", 10, 2)
    assert pairs_of(tmp_path / "c") != chosen
    assert sample(old, tmp_path / "d", 100, 0) == 50


def test_lengths_and_answers_are_counted(tmp_path: Path) -> None:
    pairs = [("a" * 4, "x"), ("a" * 5, "x"), ("a" * 8, "x"), ("b", "yy")]
    found = stats(written(tmp_path / "a.jsonl", pairs))
    assert (found.examples, found.characters) == (4, 23)
    assert found.prompts == {1: 1, 4: 1, 8: 2}
    assert found.labels == {"x": 3, "yy": 1}
    assert histogram(found.prompts)[-1].split() == ["up", "to", "8", "2", "#" * 40]
    assert frequent(Counter({str(i): 1 for i in range(25)}))[-1] == "and 5 more"
    other = stats(written(tmp_path / "b.jsonl", [(str(i), str(i)) for i in range(9)]))
    assert other.labels is None


def test_a_difference_is_said_by_lines_of_both_files(tmp_path: Path) -> None:
    old = written(tmp_path / "a", [("a", "x"), ("b", "x"), ("c", "x"), ("c", "x")])
    new = written(tmp_path / "b", [("d", "x"), ("c", "x"), ("a", "y")])
    found = diff(old, new)
    assert (found.added, found.removed, found.changed) == ((1,), (2, 4), ((1, 3),))
    assert found.labels == {"x": (4, 2), "y": (0, 1)}
    assert diff(old, old).labels == {}
    assert (diff(old, old).added, diff(old, old).removed, diff(old, old).changed) == ((), (), ())


def test_of_classes_the_shares_that_moved_most_are_said() -> None:
    old = [(i, f"q{i}", "ab"[i % 2]) for i in range(20)]
    new = [*old, *[(i, f"r{i}", "c") for i in range(20, 40)], (40, "q0", "b")][1:]
    found = compare(old, new)
    assert found.shifts == {"c": (0, 0.5), "a": (0.5, 0.225), "b": (0.5, 0.275)}
    said = "20 added, 1 with another answer; label c 0 % → 50 %; label a 50 % → 22 %"
    assert in_short(found) == said + "; label b 50 % → 28 %"
    assert in_short(compare(old, old)) == "the same examples"


def test_answers_that_are_no_classes_have_no_shares() -> None:
    old = [(i, f"q{i}", f"answer {i}") for i in range(20)]
    assert compare(old, old[:3]).shifts == {}
    assert compare([], old).shifts == {}
