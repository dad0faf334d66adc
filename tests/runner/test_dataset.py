"""Datasets: one pass, bounded memory, every fault with its line, a digest of what is tuned on."""

import bz2
import gzip
import io
import json
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner import dataset
from jobs.runner.dataset import Dataset, NoDataset, Split
from jobs.runner.example import BadExample
from jobs.runner.lines import LONGEST_LINE, Source
from jobs.runner.rows import Rows, SplitName
from tests.runner.nobody import locked, reachable

ROOT = Path(__file__).parents[2]
GOOD = b'{"input_text": "a", "output_text": "b"}'


def of(data: bytes, name: SplitName = "train", instructions: str | None = None) -> Dataset:
    return dataset.read({name: Source("d.jsonl", lambda: io.BytesIO(data))}, instructions)


def split(*pairs: tuple[str, str]) -> Split:
    lines = [json.dumps({"input_text": prompt, "output_text": answer}) for prompt, answer in pairs]
    return of("\n".join(lines).encode()).train


def faults(data: bytes) -> list[str]:
    return [str(found.problem) for found in of(data).findings]


# Lines


def test_a_split_is_counted_in_one_pass() -> None:
    found = split(("one", "1"), ("two", "22"), ("three", "€"))
    assert (found.examples, found.characters, found.longest_answer) == (3, 15, 3)
    assert found.longest == (6, 3)
    assert found.size == sum(len(example.line()) for example in found.read(None))
    assert found.findings == ()


def test_the_longest_example_is_the_first_of_its_length() -> None:
    assert split(("longest", "x"), ("short", "y"), ("seventh", "z")).longest == (8, 1)


@pytest.mark.parametrize("gone_bad", [b"{", b"", b"a" * (LONGEST_LINE + 1)])
def test_a_line_that_goes_bad_between_two_readings_is_noticed(gone_bad: bytes) -> None:
    contents = iter([GOOD, gone_bad + b"\n"])
    found = dataset.read({"train": Source("d", lambda: io.BytesIO(next(contents)))}, None)
    assert found.findings == ()
    with pytest.raises(BadExample):
        list(found.train.read(None))


def test_every_bad_line_is_said_with_its_number() -> None:
    data = b"\n".join([GOOD, b"{", b"", GOOD.replace(b'"a"', b'"c"'), b'{"x": 1}', b"\xff"]) + b"\n"
    assert faults(data) == [
        "d.jsonl:2: is not JSON: Expecting property name enclosed in double quotes at column 2",
        "d.jsonl:3: is blank; remove it",
        'd.jsonl:5: has none of "contents" (today\'s form), "input_text" (2023), "messages" (chat)',
        "d.jsonl:6: is not UTF-8 at byte 1; save the file as UTF-8",
    ]
    assert of(data).train.examples == 2


def test_a_byte_order_mark_is_named() -> None:
    assert faults(b"\xef\xbb\xbf" + GOOD) == [
        "d.jsonl:1: starts with a byte-order mark; save the file as plain UTF-8"
    ]


def test_carriage_returns_are_counted_and_harmless() -> None:
    found = of(GOOD + b"\r\n" + GOOD.replace(b'"a"', b'"c"') + b"\r\n" + GOOD)
    assert [str(f) for f in found.findings] == [
        "advice VT-D040: d.jsonl: has 2 lines with a carriage return at the end"
    ]
    assert found.train.examples == 3


def test_an_empty_file_holds_no_example() -> None:
    assert faults(b"") == ["d.jsonl: holds no example"]


def test_a_last_line_needs_no_end() -> None:
    assert of(GOOD).train.digest == of(GOOD + b"\n").train.digest


def test_a_file_of_another_kind_does_not_fill_the_memory_with_faults() -> None:
    said = faults(b"\n" * 5000)
    assert len(said) == 1001
    assert said[-1] == "d.jsonl: has 4,000 more like these"


def test_examples_with_files_are_counted() -> None:
    file = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/o.png"}}
    turns = [{"role": "user", "parts": [file]}, {"role": "model", "parts": [{"text": "x"}]}]
    found = of(json.dumps({"contents": turns}).encode() + b"\n" + GOOD).train
    assert (found.examples, found.with_files) == (2, 1)


def test_a_line_of_200_megabytes_is_one_fault_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    with path.open("wb") as stream:
        stream.truncate(200 * 1024 * 1024)
        stream.seek(0, os.SEEK_END)
        stream.write(b"\n" + GOOD + b"\n")
    tracemalloc.start()
    try:
        found = dataset.read(dataset.local_sources(tmp_path, "."), None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [str(f.problem) for f in found.findings] == [
        "train.jsonl:1: is longer than 4 MiB; no example may be"
    ]
    assert found.train.examples == 1
    assert peak < 24 * 1024 * 1024


def test_a_line_may_be_as_long_as_an_example_can_be() -> None:
    longest = b'{"input_text": "' + b"a" * (LONGEST_LINE - 60) + b'", "output_text": "b"}'
    assert of(longest + b"\n" + GOOD).findings == ()
    assert len(of(longest + b" " * 100 + b"\n" + GOOD).findings) == 1


def test_a_stream_that_breaks_off_is_a_fault() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    found = dataset.read({"train": Source("d.jsonl", Broken)}, None)
    assert [str(f.problem) for f in found.findings] == [
        "d.jsonl: cannot be read: Input/output error"
    ]


def test_a_file_that_changes_while_it_is_read_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(GOOD + b"\n")

    class Writes:
        def take(self, rows: Rows) -> None:
            with path.open("ab") as stream:
                stream.write(GOOD + b"\n")

    found = dataset.read(dataset.local_sources(tmp_path, "."), None, [Writes()])
    assert [f"{f.rule.id} {f.problem}" for f in found.findings] == [
        "VT-D002 train.jsonl: cannot be read: it changed while it was read"
    ]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_is_named_and_never_unpacked(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(pack(bytes(64 * 1024 * 1024)))
    (found,) = dataset.read(dataset.local_sources(tmp_path, "."), None).findings
    assert found.rule.id == "VT-D028"
    assert "file; unpack it" in str(found)


def test_a_packed_split_beside_none_is_named(root: Path) -> None:
    (root / "datasets/a/train.jsonl").rename(root / "datasets/a/train.jsonl.gz")
    with pytest.raises(NoDataset, match=r"train\.jsonl\.gz is not read, unpack it"):
        dataset.local_sources(root, "datasets/a")


def test_a_file_that_may_not_be_read_is_a_fault() -> None:
    with reachable() as root:
        path = root / "train.jsonl"
        path.write_bytes(GOOD)
        sources = dataset.local_sources(root, "train.jsonl")
        with locked(path, 0):
            found = dataset.read(sources, None)
    assert {str(f).rpartition(": ")[2] for f in found.findings} == {"Permission denied"}


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_folder_that_may_not_be_read_is_not_one_without_a_split(mode: int) -> None:
    with reachable() as root:
        folder = root / "datasets/a"
        folder.mkdir(parents=True)
        (folder / "train.jsonl").write_bytes(GOOD)
        why = "datasets/a cannot be read: Permission denied"
        with locked(folder, mode), pytest.raises(NoDataset, match=why):
            dataset.local_sources(root, "datasets/a")


_LINES = st.lists(st.one_of(st.just(GOOD), st.binary(max_size=30)), max_size=6)


@given(_LINES.map(b"\n".join))
def test_any_bytes_are_examples_and_faults(data: bytes) -> None:
    found = of(data)
    assert found.train.examples or found.findings
    assert all(f.problem.line <= data.count(b"\n") + 1 for f in found.findings)
    assert found.train.examples <= data.count(GOOD)


def test_two_objects_on_a_line_are_never_taken_for_one() -> None:
    good = b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}'
    bad = good.replace(b"assistant", b"user")
    assert faults(good + bad + b"\n" + good) == [
        f"d.jsonl:1: is not JSON: Extra data at column {len(good) + 1}"
    ]


# Digests


FORMS = (
    b'{"input_text": "a", "output_text": "b"}',
    b'{"output_text": "b", "input_text": "a"}',
    b'{ "input_text" :"\\u0061","output_text":"b" }',
    b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}',
    b'{"contents": [{"parts": [{"text": "a"}], "role": "user"},'
    b' {"role": "model", "parts": [{"text": "b"}]}]}',
)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("form", FORMS)
def test_the_digest_depends_neither_on_the_form_nor_on_ends_of_lines(
    form: bytes, end: bytes
) -> None:
    assert of(form + end + GOOD + end).digest == of(GOOD + b"\n" + GOOD).digest


@pytest.mark.parametrize(
    "other",
    [
        GOOD.replace(b'"a"', b'"A"'),
        GOOD.replace(b'"b"', b'"b "'),
        GOOD + b"\n" + GOOD,
        b'{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"},'
        b' {"role": "assistant", "content": "b"}]}',
    ],
)
def test_the_digest_depends_on_every_text_and_on_every_line(other: bytes) -> None:
    assert of(other).digest != of(GOOD).digest


def test_the_digest_depends_on_the_order_and_on_the_instructions() -> None:
    one, other = GOOD, GOOD.replace(b'"a"', b'"c"')
    assert of(one + b"\n" + other).digest != of(other + b"\n" + one).digest
    assert of(one, instructions="Name it.").digest != of(one).digest


def test_the_digest_covers_validation_and_not_the_test_split() -> None:
    def digest(**splits: bytes) -> str:
        def source(data: bytes) -> Source:
            return Source("d", lambda: io.BytesIO(data))

        names: tuple[SplitName, ...] = dataset.SPLITS
        return dataset.read({n: source(splits[n]) for n in names if n in splits}, None).digest

    other = GOOD.replace(b'"a"', b'"c"')
    alone = digest(train=GOOD)
    assert digest(train=GOOD, test=other) == alone
    assert digest(train=GOOD, validation=other) != alone
    assert digest(train=GOOD, validation=other) != digest(train=other, validation=GOOD)


# Places


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "datasets" / "a").mkdir(parents=True)
    (folder / "datasets" / "a" / "train.jsonl").write_bytes(GOOD)
    return folder


def refused(root: Path, where: str) -> str:
    with pytest.raises(NoDataset) as caught:
        dataset.local_sources(root, where)
    return str(caught.value)


@pytest.mark.parametrize("where", ["datasets/a", "datasets/a/", "./datasets/../datasets/a"])
def test_a_folder_gives_the_splits_that_are_in_it(root: Path, where: str) -> None:
    (root / "datasets/a/test.jsonl").write_bytes(GOOD)
    (root / "datasets/a/notes.txt").write_text("x")
    found = dataset.local_sources(root, where)
    assert {name: source.shown for name, source in found.items()} == {
        "train": "datasets/a/train.jsonl",
        "test": "datasets/a/test.jsonl",
    }


def test_a_file_is_the_train_split(root: Path) -> None:
    found = dataset.local_sources(root, "datasets/a/train.jsonl")
    assert [(name, source.shown) for name, source in found.items()] == [
        ("train", "datasets/a/train.jsonl")
    ]


def test_an_absolute_path_is_shown_from_the_repository_on(root: Path) -> None:
    found = dataset.local_sources(root, str(root / "datasets/a"))
    assert found["train"].shown == "datasets/a/train.jsonl"


def test_a_repository_may_be_reached_by_a_link(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    found = dataset.local_sources(root.parent / "link", "datasets/a")
    assert found["train"].shown == "datasets/a/train.jsonl"


def test_what_is_no_dataset_is_refused_in_words(root: Path) -> None:
    (root / "datasets/empty").mkdir()
    (root / "datasets/a/notes.txt").write_text("x")
    os.mkfifo(root / "datasets/pipe.jsonl")
    (root / "datasets/loop").symlink_to("loop")
    kinds = "is no .jsonl file, and no folder that holds train.jsonl"
    missing = "does not exist; it is a folder with train.jsonl or a .jsonl file"
    said = {
        "datasets/b": f"datasets/b {missing}",
        "datasets/a/train.jsonl/x": "datasets/a/train.jsonl/x cannot be read: Not a directory",
        "datasets/empty": "datasets/empty has no train.jsonl; that is the split to tune on",
        "datasets/a/notes.txt": f"datasets/a/notes.txt {kinds}",
        "datasets/pipe.jsonl": f"datasets/pipe.jsonl {kinds}",
        "datasets/loop": "datasets/loop cannot be read: Too many levels of symbolic links",
        "x" * 300: "x" * 300 + " cannot be read: File name too long",
    }
    assert {where: refused(root, where) for where in said} == said
    assert refused(root, "a\0b") == "a\0b is no path"


@pytest.mark.parametrize("where", ["..", "../other", "/etc", "datasets/../../other/train.jsonl"])
def test_what_lies_outside_of_the_repository_is_refused(root: Path, where: str) -> None:
    assert refused(root, where) == (
        f"{where} lies outside of the repository; move it into datasets/"
    )


def test_a_link_that_leads_out_of_the_repository_is_refused(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "train.jsonl").write_bytes(GOOD)
    (root / "datasets/folder").symlink_to(outside)
    (root / "datasets/a/test.jsonl").symlink_to(outside / "train.jsonl")
    out = "lies outside of the repository; move it into datasets/"
    assert refused(root, "datasets/folder") == f"datasets/folder {out}"
    assert refused(root, "datasets/a") == f"datasets/a/test.jsonl {out}"


def test_a_link_within_the_repository_is_followed(root: Path) -> None:
    (root / "datasets/b").mkdir()
    (root / "datasets/b/train.jsonl").symlink_to("../a/train.jsonl")
    found = dataset.read(dataset.local_sources(root, "datasets/b"), None)
    assert (found.findings, found.train.examples) == ((), 1)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("folder", "Is a directory"),
        ("pipe", "it is not a file"),
        ("dangling", "No such file or directory"),
    ],
)
def test_a_split_that_is_no_file_is_a_fault_and_not_waited_for(
    root: Path, kind: str, why: str
) -> None:
    path = root / "datasets/a/test.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere.jsonl")
    found = dataset.read(dataset.local_sources(root, "datasets/a"), None)
    shown = "nowhere.jsonl" if kind == "dangling" else "test.jsonl"
    assert [str(f.problem) for f in found.findings] == [
        f"datasets/a/{shown}: cannot be read: {why}"
    ]


@pytest.mark.parametrize("name", ["headlines", "dialogues", "handbook"])
def test_the_datasets_here_are_without_fault(name: str) -> None:
    found = dataset.read(dataset.local_sources(ROOT, f"datasets/{name}"), None)
    assert found.findings == ()
    assert set(found.splits) == {"train", "validation", "test"}
    assert found.train.examples > 100
