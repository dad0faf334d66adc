"""Signatures: a word is the same one whatever else is looked at with it."""

import numpy as np
import pytest

from jobs.runner.findings.signatures import pairs, signatures

CODE = "return [self.User_Table[one] for one in rows_of_all if mail@home ^ flags_of_each or {x_y}"


@pytest.mark.parametrize("text", [CODE, "of ten Plain words that follow one another in this text"])
def test_a_letter_beyond_ascii_makes_no_other_words_of_the_rest(text: str) -> None:
    plain, more = text.encode(), f"{text} \u00e9".encode()
    assert pairs(plain) < pairs(more)
    assert len(pairs(more)) == len(pairs(plain)) + 1


@pytest.mark.parametrize("other", ["\u00e9", "a\0b"])
def test_what_stands_beside_a_text_does_not_change_its_signature(other: str) -> None:
    alone, beside = signatures([CODE.encode()]), signatures([CODE.encode(), other.encode()])
    assert np.array_equal(alone[0], beside[0])


def test_capital_letters_are_small_ones() -> None:
    assert pairs(CODE.encode()) == pairs(CODE.upper().encode()) == pairs(CODE.lower().encode())
