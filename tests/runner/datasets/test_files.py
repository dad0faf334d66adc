"""New files: never in the place of an old one, and whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.runner.datasets import convert, dedupe, redact, sample, split
from jobs.runner.datasets.files import checked, new, rows
from jobs.runner.datasets.shares import Shares
from jobs.runner.errors import Problems, VertuneError
from tests.runner.datasets.examples import written

MAKERS: dict[str, Callable[[Path, Path], object]] = {
    "dedupe": lambda old, to: dedupe.dedupe(old, to, "near"),
    "convert": lambda old, to: convert.convert(old, to, "messages"),
    "redact": redact.redact,
    "sample": lambda old, to: sample.sample(old, to, 1, 0),
    "split": lambda old, to: split.split(old, to.parent / "train", Shares(0.1, 0.1)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_made_of_a_file_with_faults_and_all_are_said(name: str, tmp_path: Path) -> None:
    old, to = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_bytes(b'{"input_text": "a", "output_text": "b"}\n{\n\n')
    with pytest.raises(Problems) as caught:
        MAKERS[name](old, to)
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert [path.name for path in tmp_path.rglob("*.jsonl")] == ["old.jsonl"]


@pytest.mark.parametrize("name", ["dedupe", "convert", "redact", "sample"])
def test_a_file_that_is_there_stays_as_it_is(name: str, tmp_path: Path) -> None:
    old = written(tmp_path / "old.jsonl", [("a", "b")])
    before = old.read_bytes()
    with pytest.raises(VertuneError, match="exists; name a file that does not"):
        MAKERS[name](old, old)
    assert old.read_bytes() == before


def test_a_file_that_cannot_be_written_whole_is_gone(tmp_path: Path) -> None:
    def half() -> None:
        with new(tmp_path / "a") as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert list(tmp_path.iterdir()) == []


def test_lines_are_read_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    line = b'{ "output_text":"\\u00e9",  "input_text": "a"}'
    path.write_bytes(line + b"\r\n" + line)
    assert checked(path).train.examples == 2
    assert [row.line for row in rows(path)] == [line, line]
    assert [row.example.answer for row in rows(path)] == ["é", "é"]


def test_a_file_that_changed_since_it_was_checked_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [("a", "b")])
    checked(path)
    path.write_bytes(b"{\n")
    with pytest.raises(VertuneError, match="it changed since it was checked, run this again"):
        list(rows(path))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json"])
def test_a_pipe_is_not_waited_for(name: str, suffix: str, tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / f"old.{suffix}")
    with pytest.raises((Problems, VertuneError), match="cannot be read: it is not a file"):
        MAKERS[name](path, tmp_path / "new.jsonl")
    assert [found.name for found in tmp_path.rglob("*.*")] == [f"old.{suffix}"]
