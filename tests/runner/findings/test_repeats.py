"""Repeats: which line is said to repeat which, within a split and across."""

from array import array
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.findings.groups import firsts
from jobs.runner.findings.repeats import normal, normals
from jobs.runner.found import MOST
from tests.runner.findings.datasets import findings, said


def test_each_repeat_is_said_with_the_first_line(tmp_path: Path) -> None:
    rows = [("a", "b"), ("c", "d"), ("a", "b"), ("a", "x"), ("a", "b")]
    found = findings(tmp_path, "chat", rows)
    assert said(found, "VT-D101") == [
        "train.jsonl:3: is the same example as line 1",
        "train.jsonl:5: is the same example as line 1",
    ]
    assert said(found, "VT-D104") == [
        "train.jsonl:4: has the same input as line 1 and another answer"
    ]


def test_a_leak_is_said_with_the_split_it_comes_from(tmp_path: Path) -> None:
    splits = {
        "train": [("x", "y"), ("a", "b")],
        "validation": [("v", "b")],
        "test": [("v", "b"), ("a", "b"), ("A!", "B")],
    }
    found = findings(tmp_path, "chat", splits)
    nothing = "its score means nothing"
    assert said(found, "VT-D105") == [
        f"test.jsonl:1: is also in the validation data (validation.jsonl:1): {nothing}",
        f"test.jsonl:2: is also in the training data (train.jsonl:2): {nothing}",
    ]
    assert said(found, "VT-D106") == [
        "test.jsonl:3: is also in the training data (train.jsonl:2) but for case, spaces or"
        " punctuation"
    ]


def test_another_system_instruction_or_file_makes_another_input(tmp_path: Path) -> None:
    def row(text: str, more: dict[str, object]) -> dict[str, object]:
        turns = [
            {"role": "user", "parts": [{"text": "a"}, *more.pop("parts", [])]},  # type: ignore[misc]
            {"role": "model", "parts": [{"text": text}]},
        ]
        return {"contents": turns, **more}

    def file(name: str) -> dict[str, object]:
        data = {"mimeType": "image/png", "fileUri": f"gs://b/{name}"}
        return {"parts": [{"fileData": data}]}

    system: dict[str, object] = {"systemInstruction": {"parts": [{"text": "s"}]}}
    rows = [row("1", {}), row("2", system), row("3", file("x")), row("4", file("y"))]
    found = findings(tmp_path, "chat", rows)
    assert said(found, "VT-D104") == []


def test_of_more_than_a_thousand_of_a_kind_the_rest_is_counted(tmp_path: Path) -> None:
    found = findings(tmp_path, "chat", [("a", "b")] * (MOST + 4))
    repeated = [one for one in found if one.rule.id == "VT-D101"]
    assert len(repeated) == MOST + 1
    assert str(repeated[-1]) == "warning VT-D101: train.jsonl: has 3 more like these"
    assert repeated[-1].more == 3


@given(st.lists(st.text(st.sampled_from("aB .,:\0ß\u0130") | st.characters(codec="utf-8"))))
def test_what_is_left_of_many_texts_is_what_is_left_of_each(texts: list[str]) -> None:
    assert not texts or normals([*map(str.encode, texts)]) == [*map(normal, texts)]


@given(st.lists(st.integers(0, 9) | st.integers(2**63, 2**63 + 9)))
def test_each_number_that_was_there_is_met_with_the_first(numbers: list[int]) -> None:
    wanted = {n: numbers.index(one) for n, one in enumerate(numbers) if one in numbers[:n]}
    assert firsts(array("Q", numbers)) == wanted
