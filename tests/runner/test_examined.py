"""Examined: found once, kept while nothing changes, the same by one process and by two."""

import io
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from jobs.runner import dataset, examined, reading
from jobs.runner.dataset import Dataset
from jobs.runner.examined import Data
from jobs.runner.lines import Source
from jobs.runner.rows import SplitName
from jobs.runner.rules import Finding
from jobs.runner.seen import Seen
from jobs.runner.spec import Spec
from tests.runner.findings.datasets import data_of

SPEC = Spec.model_validate({"task": "chat", "base_model": "m", "dataset": "d"})
TEXT = " ".join(f"word{i}" for i in range(30))
ROWS = [("a", "b"), ("a", "c"), (TEXT, "x"), (TEXT.replace("word7", "other"), "y"), ("p", '"q')]
CODE = Path(examined.__file__).parent
NO_BYTECODE = shutil.ignore_patterns("__pycache__")
FOUND = {"VT-D104", "VT-D103", "VT-D141", "VT-D008", "VT-D105"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.jsonl").write_bytes(data_of(ROWS) + b"{\n")
    (tmp_path / "test.jsonl").write_bytes(data_of(ROWS[:1]))
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))  # long ago
    return tmp_path


def sources(folder: Path) -> dict[SplitName, Source]:
    """Their state as if their last change were not of just now."""
    return {
        name: Source(one.shown, one.open, partial(_state, folder / f"{name}.jsonl"), one.size)
        for name, one in dataset.local_sources(folder, ".").items()
    }


def _state(path: Path) -> str:
    return str(path.stat().st_mtime_ns)


def look(folder: Path, seen: Seen | None, spec: Spec = SPEC) -> tuple[Dataset, list[Finding]]:
    with seen or Seen(folder / "none") as known:
        return examined.examined(spec, Data(sources(folder)), known if seen else None)


def words(found: tuple[Dataset, list[Finding]]) -> list[str]:
    return sorted(map(str, [*found[0].findings, *found[1]]))


def test_what_was_found_is_kept_as_it_was(folder: Path) -> None:
    first = look(folder, Seen(folder / "cache"))
    kept = [path.name for path in (folder / "cache").iterdir()]
    (folder / "train.jsonl").write_bytes(b"")
    os.utime(folder / "train.jsonl", (1, 1))  # only a reading would tell
    again = look(folder, Seen(folder / "cache"))
    assert kept == ["splits.db"]
    assert {one.rule.id for one in (*first[0].findings, *first[1])} >= FOUND
    assert words(again) == words(first)
    assert again[0].digest == first[0].digest
    assert again[0].splits.keys() == first[0].splits.keys()


@pytest.mark.parametrize("change", ["bytes", "task", "instructions"])
def test_of_another_state_everything_is_looked_for_anew(folder: Path, change: str) -> None:
    first = look(folder, Seen(folder / "cache"))
    spec = SPEC
    if change == "bytes":
        (folder / "train.jsonl").write_bytes(data_of(ROWS[:1]))
        os.utime(folder / "train.jsonl", (2, 2))
    else:
        value = {"task": "classification", "instructions": "Be brief."}[change]
        spec = SPEC.model_copy(update={change: value})
    again = look(folder, Seen(folder / "cache"), spec)
    assert words(again) == words(look(folder, None, spec))
    assert (words(again), again[0].digest) != (words(first), first[0].digest)


@pytest.mark.parametrize("file", ["token_rates.json", "tokens.py", "findings/near.py"])
def test_what_other_code_or_rates_found_is_not_believed(file: str, tmp_path: Path) -> None:
    before = examined.version(shutil.copytree(CODE, tmp_path / "code", ignore=NO_BYTECODE))
    assert before == examined.version(shutil.copytree(CODE, tmp_path / "b", ignore=NO_BYTECODE))
    with (tmp_path / "code" / file).open("ab") as stream:
        stream.write(b"\n")
    assert examined.version(tmp_path / "code") != before


def test_two_processes_find_what_one_finds(folder: Path) -> None:
    data = Data(sources(folder), partial(dataset.local_sources, folder, "."))
    two = examined.examined(SPEC, data, None, large=0)
    assert words(two) == words(look(folder, None))


def test_what_a_process_that_died_was_to_find_is_found_all_the_same(folder: Path) -> None:
    data = Data(sources(folder), partial(dies_elsewhere, os.getpid(), folder))
    assert words(examined.examined(SPEC, data, None, large=0)) == words(look(folder, None))


def dies_elsewhere(here: int, folder: Path) -> dict[SplitName, Source]:
    if os.getpid() != here:
        os._exit(9)
    return dataset.local_sources(folder, ".")


@pytest.mark.parametrize("terminal", [True, False])
def test_the_reading_is_drawn_on_a_terminal_alone(folder: Path, terminal: bool) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=100, legacy_windows=False)
    with reading.shown(sources(folder), console) as drawn:
        found = dataset.read(drawn, None)
    assert found.train.examples == len(ROWS)
    assert ("reading train.jsonl" in text.getvalue()) is terminal
    assert ("bytes" in text.getvalue()) is terminal
