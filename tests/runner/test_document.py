"""Documents: what may stand in one, where each value stands, and that reading always ends."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.runner import document
from jobs.runner.errors import Problems


def read(tmp_path: Path, data: bytes | str) -> dict[str, object]:
    path = tmp_path / "a.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return document.values(document.read(path, "a.yaml"))


def fault(tmp_path: Path, data: bytes | str) -> str:
    with pytest.raises(Problems) as caught:
        read(tmp_path, data)
    (problem,) = caught.value.problems
    return str(problem)


def test_scalars_are_read_as_yaml_1_2_has_them(tmp_path: Path) -> None:
    text = """
    yes: no
    on: off
    null: ~
    1: 010
    small: 1e-5
    half: .5
    whole: -3
    truth: True
    nothing:
    day: 2026-11-23
    time: 12:30
    quoted: "3"
    huge: .inf
    octal: 0o17
    """
    assert read(tmp_path, text) == {
        "yes": "no",
        "on": "off",
        "null": None,
        "1": 10,
        "small": 0.00001,
        "half": 0.5,
        "whole": -3,
        "truth": True,
        "nothing": None,
        "day": "2026-11-23",
        "time": "12:30",
        "quoted": "3",
        "huge": ".inf",
        "octal": "0o17",
    }


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbftask: chat\n") == {"task": "chat"}


def test_lines_may_end_as_windows_ends_them(tmp_path: Path) -> None:
    assert read(tmp_path, b"a: 1\r\nb: x\r\n") == {"a": 1, "b": "x"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "a.yaml:1: is empty or not a mapping of keys to values"),
        ("# only this\n", "a.yaml:1: is empty or not a mapping of keys to values"),
        ("just text", "a.yaml:1: is empty or not a mapping of keys to values"),
        ("- a\n- b\n", "a.yaml:1: is empty or not a mapping of keys to values"),
        (b"a: 1\nb: \xff\n", "a.yaml:2: is not UTF-8: save it as UTF-8"),
        (
            "a: 1\n\tb: 2\n",
            "a.yaml:2: is not YAML: found a tab character that violates indentation",
        ),
        ("a: [1\nb: 2\n", "a.yaml:2: is not YAML: did not find expected ',' or ']'"),
        (
            b"a: \0\n",
            "a.yaml: is not YAML: unacceptable character #x0000: control characters are not"
            " allowed",
        ),
        ("a: &x 1\nb: *x\n", "a.yaml:2: uses a YAML alias (*…); write it out"),
        ("a: 1\nb: !!int 3\n", "a.yaml:2: uses a YAML tag (!…); write a plain value"),
        (
            "a: !!python/object/apply:os.system [id]\n",
            "a.yaml:1: uses a YAML tag (!…); write a plain value",
        ),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: holds a second document (---); a file is one document"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: a: is given twice, first on line 1"),
        ("a: {b: 1, b: 2}\n", "a.yaml:1: b: is given twice, first on line 1"),
        ("a:\n- {b: 1, 'b': 2}\n", "a.yaml:2: b: is given twice, first on line 2"),
        ("[1]: a\n", "a.yaml:1: has a list or a mapping as a key; a key is text"),
        ("? {a: b}\n: c\n", "a.yaml:1: has a list or a mapping as a key; a key is text"),
    ],
)
def test_what_is_no_plain_mapping_is_refused_with_its_line(
    tmp_path: Path, data: bytes | str, said: str
) -> None:
    assert fault(tmp_path, data) == said


def test_a_merge_key_merges_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "<<: {a: 1}\n") == {"<<": {"a": 1}}


def test_a_bomb_of_aliases_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert fault(tmp_path, "\n".join(lines)) == "a.yaml:2: uses a YAML alias (*…); write it out"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_of_any_depth_ends_soon_and_without_a_crash(tmp_path: Path, opening: str) -> None:
    start = time.thread_time()
    said = fault(tmp_path, "a:\n  " + opening * (250_000 // len(opening)))
    assert said == "a.yaml:2: is nested too deeply"
    assert time.thread_time() - start < 2


def test_twenty_levels_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a: " + "[" * 19 + "]" * 19)
    assert "nested" in fault(tmp_path, "a: " + "[" * 20 + "]" * 20)


def test_a_file_may_have_256_kib_and_no_more(tmp_path: Path) -> None:
    assert read(tmp_path, "a: é\n#".ljust(256 * 1024 - 1, "x")) == {"a": "é"}
    assert fault(tmp_path, "a: é\n#".ljust(256 * 1024, "x")) == "a.yaml: is larger than 256 KiB"


def test_a_large_file_of_another_kind_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(Problems, match="is larger than 256 KiB"):
        document.read(path, "a.yaml")


def test_a_character_cut_in_two_by_the_limit_is_not_called_a_wrong_encoding(tmp_path: Path) -> None:
    assert fault(tmp_path, "é" * 200_000) == "a.yaml: is larger than 256 KiB"


def test_a_folder_a_pipe_and_a_dangling_link_are_no_files(tmp_path: Path) -> None:
    for name in ("folder.yaml", "pipe.yaml", "link.yaml"):
        path = tmp_path / name
        if name == "folder.yaml":
            path.mkdir()
        elif name == "pipe.yaml":
            os.mkfifo(path)
        else:
            path.symlink_to("nowhere")
        with pytest.raises(Problems) as caught:
            document.read(path, name)
        why = "cannot be read: No such file or directory" if "link" in name else "is not a file"
        assert str(caught.value) == f"{name}: {why}"


def test_every_value_keeps_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("\na: 1\nb:\n  c:\n  - x\n  - y\nd: |\n  text\n")
    node = document.read(path, "a.yaml")
    lines = {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 4,
        ("b", "c", 1): 6,
        ("d",): 7,
        ("b", "absent"): 3,
        ("absent",): 2,
    }
    assert {loc: document.line_of(node, loc) for loc in lines} == lines


def test_merged_mappings_keep_the_lines_of_both(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("x: 1\ny: {p: 1, q: 2}\nover:\n  y:\n    q: 3\n  z: 4\n")
    node = document.read(path, "a.yaml")
    over = document.child(node, "over")
    assert isinstance(over, type(node))
    both = document.merged(node, over)
    assert document.values(both)["y"] == {"p": 1, "q": 3}
    assert document.line_of(both, ("y", "p")) == 2
    assert document.line_of(both, ("y", "q")) == 5
    assert document.line_of(both, ("z",)) == 6
    assert document.values(node)["y"] == {"p": 1, "q": 2}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("epoch", '; did you mean "epochs"?'),
        ("EPOCHS", '; did you mean "epochs"?'),
        ("zzz", "; known: epochs, steps"),
    ],
)
def test_the_nearest_known_word_is_offered_or_else_all_of_them(word: str, said: str) -> None:
    assert document.did_you_mean(word, ["epochs", "steps"]) == said


def test_without_known_words_nothing_is_offered() -> None:
    assert document.did_you_mean("x", []) == ""


_MARKS = "-?:[]{}&*!|>'\"#%@`,=~\n\t\0\ufeff\u2028é"
_PIECES = st.sampled_from(
    [*_MARKS, "a", "b: ", "- ", "? ", "  ", "&x ", "*x", "!!int ", "<<: ", "%YAML 1.1\n", "---\n"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=60), st.lists(_PIECES, max_size=30).map("".join)))
def test_any_bytes_are_a_mapping_or_problems(tmp_path: Path, data: bytes | str) -> None:
    try:
        values = read(tmp_path, data)
    except Problems as problems:
        values = {str(problem): "said" for problem in problems.problems}
    assert all(isinstance(key, str) for key in values)
    assert all(key.isprintable() for key, value in values.items() if value == "said")
