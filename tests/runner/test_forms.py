"""Forms: the quick reading accepts only what the slow one does, and reads the same from it."""

import io
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.runner import dataset
from jobs.runner.example import BadExample, Example, Pairs, converted_lines, parse
from jobs.runner.forms import Columns, quick
from jobs.runner.found import Found
from jobs.runner.lines import Source
from jobs.runner.rows import Rows

SOUND = st.text(max_size=8) | st.sampled_from(
    ["a", '"', "\\", '\\"', '": "', '"role"', "a\\", "\0", "\x85", "\x7f", " "]
)
TEXTS = SOUND | st.just("\ud83d\ude00")
ROLES = st.sampled_from(["user", "model", "assistant", "system", "tool"])


def doubled(pairs: list[tuple[str, Any]]) -> str:
    """An object that may have a key twice."""
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in pairs) + "}"


@st.composite
def objects(draw: st.DrawFn, *keys: tuple[str, st.SearchStrategy[Any]]) -> str:
    """An object of these keys, one of them perhaps twice, missing or unknown."""
    pairs = [(key, draw(value)) for key, value in keys]
    if draw(st.integers(0, 5)) == 0:
        pairs.insert(draw(st.integers(0, len(pairs))), draw(st.sampled_from([*pairs, ("x", "1")])))
    if draw(st.integers(0, 9)) == 0:
        pairs.pop()
    return doubled(pairs)


def listed(strategy: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(strategy, max_size=most).map(lambda some: f"[{','.join(some)}]")


STRINGS = TEXTS.map(json.dumps) | TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False))
PART = objects(("text", STRINGS))
TURN = objects(("role", ROLES.map(json.dumps)), ("parts", listed(PART, 2)))
PAIR = st.tuples(PART, PART).map(
    lambda parts: (
        f'[{{"role":"user","parts":[{parts[0]}]}},{{"role":"model","parts":[{parts[1]}]}}]'
    )
)
SYSTEM = objects(("parts", listed(PART, 2)), ("role", STRINGS))
MESSAGE = objects(("role", ROLES.map(json.dumps)), ("content", STRINGS))
LINES = (
    objects(("input_text", STRINGS), ("output_text", STRINGS))
    | objects(("contents", PAIR | listed(TURN)))
    | objects(("systemInstruction", SYSTEM), ("contents", PAIR | listed(TURN)))
    | objects(("messages", listed(MESSAGE)))
)


def slow(line: bytes) -> Example | None:
    """A space before an object is one of the doubts that the quick reading does not go into."""
    assert quick(b" " + line) is None
    try:
        return parse(b" " + line, None)
    except BadExample:
        return None


def same(one: Example, other: Example) -> bool:
    return (one.form, one.system, one.line()) == (other.form, other.system, other.line())


@given(LINES)
@example('{"input_text":"a\\\\","input_text":"b","output_text":"c"}')
@example('{"input_text":"\\ud800","output_text":"c"}')
def test_what_is_read_quickly_is_read_slowly_too_and_the_same(text: str) -> None:
    line = text.encode("utf-8", "surrogatepass")
    if (read := quick(line)) is not None:
        found = slow(line)
        assert found is not None
        assert same(found, Example(*read))


def alone(number: int, line: bytes) -> tuple[int, Example] | str:
    try:
        return number, parse(line, None)
    except BadExample as error:
        return f"{number} {error.rule.id} {error}"


# Many of one form, as in a file, and others now and then.
FILES = (
    st.lists(LINES, max_size=12)
    | st.lists(objects(("input_text", STRINGS), ("output_text", STRINGS)), max_size=12)
    | st.lists(objects(("contents", PAIR)), max_size=12)
    | st.lists(objects(("systemInstruction", SYSTEM), ("contents", PAIR)), max_size=12)
)


@given(FILES)
def test_many_lines_are_read_as_each_of_them_is(texts: list[str]) -> None:
    """Whatever is beside a line, it is the same example or has the same fault."""
    lines = [text.encode("utf-8", "surrogatepass") for text in texts if "\n" not in text]
    wanted = [alone(number, line) for number, line in enumerate(lines, 1) if line]
    faults = Found("d.jsonl")
    whole = b"".join([line + b"\n" for line in lines if line])
    source = Source("d.jsonl", lambda: io.BytesIO(whole))
    found = [
        pair for some in dataset.examples(source, None, faults) for pair in zip(*some, strict=True)
    ]
    right = [one for one in wanted if not isinstance(one, str)]
    assert [number for number, _ in found] == [number for number, _ in right]
    assert all(same(one, other) for (_, one), (_, other) in zip(found, right, strict=True))
    assert {f"{f.problem.line} {f.rule.id}" for f in faults.all()} == {
        " ".join(one.split()[:2]) for one in wanted if isinstance(one, str)
    }


@given(FILES)
def test_columns_say_what_each_example_says(texts: list[str]) -> None:
    whole = "\n".join(texts).encode("utf-8", "surrogatepass")
    source = Source("d.jsonl", lambda: io.BytesIO(whole))
    for numbers, some in dataset.examples(source, None, Found("d.jsonl")):
        rows, each = Rows("train", "d", numbers, some), Rows("train", "d", numbers, [*some])
        for name in ("prompts", "answers", "systems", "forms", "characters", "asked", "dialogues"):
            assert [*getattr(rows, name)] == [*getattr(each, name)], name
        assert (rows.whole, rows.ends) == (each.whole, each.ends)
        assert converted_lines(some) == b"".join([one.line() for one in some])
        assert [some[place] for place in range(len(some))] == [*some]


@given(
    st.lists(st.tuples(SOUND, SOUND)),
    st.none() | SOUND,
    st.none() | SOUND,
    st.integers(0, 3),
)
def test_pairs_are_converted_together_as_each_of_them_is(
    pairs: list[tuple[str, str]], system: str | None, other: str | None, others: int
) -> None:
    systems = [other if place < others else system for place in range(len(pairs))]
    prompts, answers = [one for one, _ in pairs], [one for _, one in pairs]
    some = Pairs(Columns("contents", systems, prompts, answers))
    assert converted_lines(some) == b"".join([one.line() for one in some])


@pytest.mark.parametrize(
    "line",
    [
        b'{"input_text":"say \\"a\\"\\n","output_text":"\\u00e9"}',
        b'{"output_text": "b", "input_text": "a"}',
        b'{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},'
        b'{"role":"model","parts":[{"text":"c"}]}]}',
        b'{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":'
        b'[{"text":"a"}]},{"role":"model","parts":[{"text":"c"}]}]}',
        b'{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},'
        b'{"role":"assistant","content":"b"}]}',
    ],
)
def test_what_is_plain_is_read_quickly(line: bytes) -> None:
    read = quick(line)
    assert read is not None
    found = slow(line)
    assert found is not None
    assert same(found, Example(*read))


def test_converted_bytes_are_those_of_plain_json() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x11000), 0x1F600]))
    line = json.dumps({"input_text": text, "output_text": "b"}).encode()
    turns = [{"role": r, "parts": [{"text": t}]} for r, t in (("user", text), ("model", "b"))]
    plain = json.dumps({"contents": turns}, ensure_ascii=False, separators=(",", ":"))
    assert parse(line, None).line() == plain.encode() + b"\n"
