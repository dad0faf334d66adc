"""Encoded: what is sent to be compared arrives as it was, whatever the texts hold."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.encoded import encoded
from jobs.runner.example import Example, Pairs, paired
from jobs.runner.forms import exchange
from jobs.runner.rows import Rows

TEXTS = st.text(st.sampled_from("ab \0\n\x1dé") | st.characters(codec="utf-8"))
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.none() | TEXTS), min_size=1, max_size=4)


@given(ROWS, st.booleans())
def test_texts_are_the_same_as_bytes(rows: list[tuple[str, str, str | None]], alone: bool) -> None:
    examples = [Example("contents", system, exchange(*both)) for *both, system in rows]
    shown = Rows("train", "d", range(len(rows)), paired(examples) if alone else examples)
    assert isinstance(shown.examples, Pairs) is alone
    found = encoded(shown)
    assert [one.decode() for one in found.asked] == [one.asked for one in examples]
    assert [one.decode() for one in found.answers] == [one.answer for one in examples]
    assert [one.decode() for one in found.dialogues] == [one.dialogue for one in examples]
