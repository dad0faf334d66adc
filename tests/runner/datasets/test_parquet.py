"""Parquet: a table of pairs or of conversations becomes lines, or says why it cannot."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from jobs.runner.datasets import parquet as tables
from jobs.runner.datasets.convert import convert
from jobs.runner.errors import Problems, VertuneError
from tests.runner.datasets.examples import pairs_of


def table(path: Path, rows: list[dict[str, Any]], group: int = 1000) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=group)
    return path


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("names", [("prompt", "completion"), ("input_text", "output_text")])
def test_two_columns_become_pairs(names: tuple[str, str], tmp_path: Path) -> None:
    pairs = [(f"a € {i}", "b\nc") for i in range(600)]
    old = table(tmp_path / "a.parquet", [dict(zip(names, p, strict=True)) for p in pairs], 100)
    assert convert(old, tmp_path / "b.jsonl", "input_text") == 600
    assert pairs_of(tmp_path / "b.jsonl") == pairs


def test_conversations_keep_all_that_they_hold(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    told = [{"role": "system", "content": "s"}, *said]
    rows = [{"messages": said}, {"messages": told}]
    convert(table(tmp_path / "a.parquet", rows), tmp_path / "b.jsonl", "messages")
    assert lines_of(tmp_path / "b.jsonl") == rows


def test_what_only_some_rows_hold_is_missing_in_the_others(tmp_path: Path) -> None:
    file = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/o"}}
    contents = [
        {"role": "user", "parts": [{"text": "a"}, file]},
        {"role": "model", "parts": [{"text": "b"}]},
    ]
    rows: list[dict[str, Any]] = [
        {"contents": contents, "systemInstruction": {"parts": [{"text": "s"}]}}
    ]
    rows += [{"contents": [{"role": "user", "parts": [file]}, contents[1]]}]
    assert convert(table(tmp_path / "a.parquet", rows), tmp_path / "b.jsonl", "contents") == 2
    first, second = lines_of(tmp_path / "b.jsonl")
    assert first["systemInstruction"]["parts"] == [{"text": "s"}]
    assert first["contents"] == contents
    assert second == {"contents": [{"role": "user", "parts": [file]}, contents[1]]}


def test_every_row_with_a_fault_is_named_and_nothing_written(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "completion": answer} for answer in ("b", "", None)]
    with pytest.raises(Problems) as caught:
        convert(table(tmp_path / "a.parquet", rows), tmp_path / "b.jsonl", "contents")
    assert sorted(problem.field for problem in caught.value.problems) == ["row 2", "row 3"]
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("value", [b"\xff", date(2026, 1, 1), 7])
def test_a_column_of_no_text_is_refused(value: object, tmp_path: Path) -> None:
    old = table(tmp_path / "a.parquet", [{"prompt": "a", "completion": value}])
    with pytest.raises(Problems, match=r"a\.parquet: row 1: "):
        convert(old, tmp_path / "b.jsonl", "contents")


@pytest.mark.parametrize("cut", [0, 3, 100, -10])
def test_a_file_that_is_none_or_torn_is_refused(cut: int, tmp_path: Path) -> None:
    old = table(tmp_path / "a.parquet", [{"prompt": "a", "completion": "b"}])
    old.write_bytes(old.read_bytes()[:cut])
    with pytest.raises(VertuneError, match="cannot be read as Parquet: "):
        convert(old, tmp_path / "b.jsonl", "contents")


def test_without_the_extra_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = table(tmp_path / "a.parquet", [{"prompt": "a", "completion": "b"}])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(VertuneError, match="run `uv sync --extra parquet`, then this again"):
        convert(old, tmp_path / "b.jsonl", "contents")


def shared(text: str, count: int) -> Any:
    """So many rows with a text that stands in the file once."""
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * count), pyarrow.array([text]))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_text_that_many_rows_share_is_not_made_as_often(tmp_path: Path) -> None:
    texts = shared("x" * (33 << 20), 200)
    path = tmp_path / "a.parquet"
    answers = pyarrow.array(["b"] * 200)
    columns = pyarrow.table({"prompt": texts, "completion": answers})
    parquet.write_table(columns, path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 100_000
    # In a process of its own, which may hold less than an eighth of what they would take; what
    # getrusage says of it begins with what the process held that started it.
    code = (
        "import re, sys; from pathlib import Path\n"
        "from jobs.runner.datasets.convert import convert\n"
        "from jobs.runner.errors import Problems\n"
        "try: convert(Path(sys.argv[1]), Path(sys.argv[2]), 'contents')\n"
        "except Problems as error: print(len(error.problems), error.problems[0])\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search('VmHWM:\\\\s*(\\\\d+) kB', status)[1]) >> 10)"
    )
    words = [sys.executable, "-c", code, str(path), str(tmp_path / "b.jsonl")]
    said, mebibytes = subprocess.run(
        words, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert said == f"200 {path}: row 1: is longer than 4 MiB"
    assert int(mebibytes) < 800


def test_long_and_short_rows_come_in_their_order(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b" * (1 << 20)}]
    rows = [{"messages": [{**said[0], "content": f"a{n}"}, said[1]]} for n in range(80)]
    convert(table(tmp_path / "a.parquet", rows), tmp_path / "b.jsonl", "messages")
    assert lines_of(tmp_path / "b.jsonl") == rows


def test_a_group_of_rows_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_LARGEST_GROUP", 1 << 30)
    old = table(tmp_path / "a.parquet", [{"prompt": "a", "completion": "b"}])
    convert(old, tmp_path / "b.jsonl", "contents")
    monkeypatch.setattr(tables, "_LARGEST_GROUP", 10)
    with pytest.raises(VertuneError, match="holds a row group of more than 0 GiB; write smaller"):
        convert(old, tmp_path / "c.jsonl", "contents")
