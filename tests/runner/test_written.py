"""Written: lines that are converted all at once become what each becomes by itself."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.example import converted_lines, parse, parse_all
from jobs.runner.forms import Form
from jobs.runner.written import converted

TEXTS = st.text(
    st.sampled_from('a"\\/{}[],: \n\t\b\x01\x7fé\u2028') | st.characters(codec="utf-8")
).filter(str.strip)
TRICKS = st.sampled_from(['", "output_text": "', '"}', '{"input_text": "', "input_text", "\\u0041"])
ROWS = st.lists(st.tuples(TEXTS | TRICKS, TEXTS | TRICKS), min_size=1, max_size=4)
SEPARATORS = st.sampled_from([None, (",", ":")])


def _turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


BODIES: dict[Form, Callable[[str, str], dict[str, Any]]] = {
    "input_text": lambda asked, said: {"input_text": asked, "output_text": said},
    "messages": lambda asked, said: {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    },
    "contents": lambda asked, said: {"contents": [_turn("user", asked), _turn("model", said)]},
}


@pytest.mark.parametrize("form", [*BODIES])
@given(ROWS, SEPARATORS, st.booleans(), st.booleans())
def test_lines_become_what_each_of_them_becomes(
    form: Form,
    rows: list[tuple[str, str]],
    separators: tuple[str, str] | None,
    escaped: bool,
    odd: bool,
) -> None:
    lines = [
        json.dumps(BODIES[form](*row), ensure_ascii=escaped, separators=separators).encode()
        for row in rows
    ]
    if odd:  # another layout, and one that is refused
        lines[1:1] = [b" " + lines[0], b'{"input_text": "a"}']
    found = parse_all(b"\n".join(lines), lines, None)
    assert found or odd
    if found:
        good, doubts = found
        each = [line for place, line in enumerate(lines) if place not in doubts]
        assert converted_lines(good) == b"".join(parse(line, None).line() for line in each)


@pytest.mark.parametrize("form", [*BODIES])
def test_what_is_written_as_usual_is_converted_without_a_look_at_each(form: Form) -> None:
    lines = b"\n".join([json.dumps(BODIES[form]("a\n", 'say "b"')).encode()] * 3)
    assert (converted(form, lines, 3) or b"").count(b'{"role":"model","parts":[{"text":"') == 3
