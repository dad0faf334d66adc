"""Contents: what was checked out anew costs its hashing, what did not change costs nothing."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from jobs.runner import contents, dataset, examined
from jobs.runner.examined import Data
from jobs.runner.lines import Source
from jobs.runner.seen import Seen
from jobs.runner.spec import Spec
from tests.conftest import example

GOOD = example("a match", "sports").encode()
TWO = GOOD + example("a vote", "politics").encode()
SPEC = Spec.model_validate({"task": "chat", "base_model": "m", "dataset": "d"})


class File:
    """Bytes at hand that count how often they are gone through."""

    def __init__(self, data: bytes, state: str = "1", at_hand: bool = True) -> None:
        self.data, self.state, self.at_hand, self.times = data, state, at_hand, 0

    def open(self) -> BinaryIO:
        self.times += 1
        return io.BytesIO(self.data)

    @property
    def source(self) -> Source:
        return Source("d.jsonl", self.open, lambda: self.state, at_hand=self.at_hand)


class Growing(File):
    """Longer each time that it is opened."""

    def open(self) -> BinaryIO:
        self.data += GOOD
        return super().open()


def split(folder: Path, file: File) -> object:
    with Seen(folder) as seen:
        return dataset.read({"train": file.source}, None, (), seen).digest


def findings(folder: Path, file: File) -> object:
    with Seen(folder) as seen:
        found, said = examined.examined(SPEC, Data({"train": file.source}), seen)
    return found.digest, [*map(str, said)]


Look = Callable[[Path, File], object]
both = pytest.mark.parametrize("look", [split, findings])


@both
def test_what_is_in_the_same_state_is_not_gone_through_again(look: Look, tmp_path: Path) -> None:
    file = File(TWO)
    first, times = look(tmp_path, file), file.times
    assert times == 2  # hashed and read
    assert look(tmp_path, file) == first
    assert file.times == times


@both
@pytest.mark.parametrize("state", ["2", ""], ids=["another state", "no state"])
def test_the_same_bytes_in_another_state_are_only_hashed(
    look: Look, state: str, tmp_path: Path
) -> None:
    first = look(tmp_path, File(TWO))
    again = File(TWO, state)
    assert look(tmp_path, again) == first
    assert again.times == 1


@both
def test_other_bytes_are_read_whatever_was_found_before(look: Look, tmp_path: Path) -> None:
    first = look(tmp_path, File(GOOD))
    other = File(TWO, "2")
    assert look(tmp_path, other) != first
    assert other.times == 2


@both
def test_what_changed_while_it_was_read_is_not_kept(look: Look, tmp_path: Path) -> None:
    file = Growing(GOOD, "")
    look(tmp_path, file)
    later = File(file.data, "3")
    look(tmp_path, later)
    assert later.times > 1


@both
def test_of_what_is_far_away_the_state_is_enough(look: Look, tmp_path: Path) -> None:
    file = File(GOOD, "bucket:object:7", at_hand=False)
    first = look(tmp_path, file)
    assert look(tmp_path, file) == first
    assert file.times == 1


def test_a_copy_of_a_file_has_the_same_contents(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "d").mkdir(parents=True)
    path = tmp_path / "one/d/train.jsonl"
    path.write_bytes(GOOD)
    shutil.copy(path, tmp_path / "other/d")
    with Seen(tmp_path / "cache") as seen:
        one, other = (
            contents.of(dataset.local_sources(tmp_path / name, "d")["train"], seen)
            for name in ("one", "other")
        )
    assert one == other != ""


def test_what_cannot_be_read_has_no_contents(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/train.jsonl").write_bytes(GOOD)
    source = dataset.local_sources(tmp_path, "d")["train"]
    os.remove(tmp_path / "d/train.jsonl")
    with Seen(tmp_path / "cache") as seen:
        assert contents.of(source, seen) == ""
