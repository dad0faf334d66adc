"""Seen: what was read is not read again while it is what it was, and read again when it is not."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from jobs.runner import dataset
from jobs.runner.dataset import Dataset
from jobs.runner.lines import Source
from jobs.runner.seen import FILE, Seen
from tests.conftest import example

GOOD = example("a match", "sports").encode()


class Counted:
    """Bytes that count how often they are read, in a state of their own."""

    def __init__(self, data: bytes, state: str = "1") -> None:
        self.data, self.now, self.reads = data, state, 0

    def open(self) -> BinaryIO:
        self.reads += 1
        return io.BytesIO(self.data)

    @property
    def source(self) -> Source:
        return Source("d.jsonl", self.open, lambda: self.now)


def read(folder: Path, counted: Counted, instructions: str | None = None) -> Dataset:
    with Seen(folder) as seen:
        return dataset.read({"train": counted.source}, instructions, (), seen)


def plain(found: Dataset) -> object:
    train = found.train
    return (train.digest, train.examples, train.characters, train.longest, train.prompt)


def test_what_was_read_is_remembered_as_it_was(tmp_path: Path) -> None:
    counted = Counted(GOOD * 3)
    first = read(tmp_path, counted)
    assert plain(read(tmp_path, counted)) == plain(first)
    assert counted.reads == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda counted: setattr(counted, "now", "2"),
        lambda counted: setattr(counted, "now", ""),
    ],
    ids=["other bytes", "nobody can tell"],
)
def test_of_another_state_it_is_read_again(
    tmp_path: Path, change: Callable[[Counted], None]
) -> None:
    counted = Counted(GOOD)
    read(tmp_path, counted)
    change(counted)
    read(tmp_path, counted)
    assert counted.reads == 2


def test_other_instructions_are_another_reading(tmp_path: Path) -> None:
    counted = Counted(GOOD)
    plain_one, told = read(tmp_path, counted), read(tmp_path, counted, "Name the topic.")
    assert plain_one.digest != told.digest


def test_faults_are_found_each_time(tmp_path: Path) -> None:
    counted = Counted(GOOD + b"{}\n")
    for _ in range(2):
        assert read(tmp_path, counted).findings
    assert counted.reads == 2


@pytest.mark.parametrize("junk", [b"", b"junk", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / FILE).write_bytes(junk)
    counted = Counted(GOOD)
    assert read(tmp_path, counted).train.examples == 1


def test_a_memory_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert read(tmp_path / "file" / "folder", Counted(GOOD)).train.examples == 1


def test_a_file_that_was_just_written_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "_RACY", 3600)
    folder = tmp_path / "datasets/a"
    folder.mkdir(parents=True)
    path = folder / "train.jsonl"
    path.write_bytes(GOOD)
    (source,) = dataset.local_sources(tmp_path, "datasets/a").values()
    assert source.state() == ""


def test_an_old_file_has_a_state_that_its_bytes_and_its_place_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "datasets/a"
    folder.mkdir(parents=True)
    path = folder / "train.jsonl"
    path.write_bytes(GOOD)
    (source,) = dataset.local_sources(tmp_path, "datasets/a").values()
    while not (before := source.state()):  # it takes two seconds to be an old one
        time.sleep(0.1)
    assert source.state() == before
    monkeypatch.setattr(dataset, "_RACY", 3600)
    os.utime(path, ns=(0, 0))
    assert source.state() == ""
