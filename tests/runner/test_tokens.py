"""Tokens: a guess by script and language, with an interval, from rates that a script measured."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner import tokens
from jobs.runner.tokens import LATIN, OTHER, SCRIPTS, SHARED, Guess, guess

ROOT = Path(__file__).parents[2]
KNOWN = tokens.rates()

# What Gemma 3's tokenizer says (tests/benchmarks/calibration.py); none of these was calibrated on.
COUNTED = {
    "The ferry leaves from the north pier at seven in the morning, and the last one is at ten.": 21,
    "Die Fähre legt um sieben Uhr morgens am Nordpier ab, und die letzte fährt um zehn.": 21,
    "Паром отходит от северного причала в семь часов утра; последний идёт в десять.": 19,
    "渡轮早上七点从北码头出发。最后一班是十点。": 17,
}


@pytest.mark.parametrize("text", COUNTED)
def test_a_guess_of_enough_text_is_near_what_is_counted(text: str) -> None:
    one = guess([text])
    assert one.tokens == pytest.approx(COUNTED[text], rel=0.25)


def test_every_script_and_language_has_a_rate_and_an_interval_around_it() -> None:
    languages = {name for words in KNOWN.usual.values() for name in words.values()}
    assert {*KNOWN.groups} >= {*SCRIPTS, OTHER, *languages}
    assert {*KNOWN.shared} == {*SHARED}
    for name, group in KNOWN.groups.items():
        assert group["word"] + group["letter"] > 0, name
        assert 0 < group["low"] <= 1 <= group["high"], name


def test_the_rates_say_what_they_were_made_from() -> None:
    made = json.loads((ROOT / "jobs/runner/token_rates.json").read_text("utf-8"))
    assert "gemma" in made["tokenizer"]
    assert made["texts"]
    assert made["pieces"] > 1000


def test_a_language_is_told_by_its_usual_words() -> None:
    english, german = "the bank and the river", "der und die zu das mit von"
    assert _groups(english, german) == [{"English"}, {"German"}]


def test_a_label_is_taken_for_the_language_of_the_others() -> None:
    assert _groups("sports", "the bank and the river of the town") == [{"English"}, {"English"}]
    assert _groups("sports") == [{LATIN}]


def test_names_in_latin_letters_among_others_are_taken_for_english() -> None:
    (found,) = _groups("Паром Vertex отходит в семь")
    assert found in ({"Cyrillic", "English"}, {"Russian", "English"})


def test_an_unknown_language_has_a_wider_interval_than_a_known_one() -> None:
    known = guess(["the bank and the river of the town are of the same name"])
    unknown = guess(["zxq vorp blint kramf dosh wubba trenk"])
    assert unknown.high / unknown.low > known.high / known.low


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_has_a_guess_within_its_interval(texts: list[str]) -> None:
    one = guess(texts)
    assert 0 <= one.low <= one.tokens <= one.high
    assert (one.tokens > 0) == any(piece for text in texts for piece in _kinds(text))


@given(st.text(max_size=200))
def test_ascii_is_read_as_any_other_text_is(text: str) -> None:
    text = text.encode("ascii", "ignore").decode()
    short, long = tokens.pieces(text), tokens.pieces(text + "é")
    assert +short.shared == +long.shared
    one, other = ("".join(each.words.get(LATIN, ())) for each in (short, long))
    assert one + "é" == other


def test_guesses_add_up() -> None:
    assert Guess(1, 0.5, 2) + Guess(2, 1, 3) * 2 == Guess(5, 2.5, 8)


def _groups(*texts: str) -> list[set[str]]:
    found = tokens.grouped([tokens.pieces(text) for text in texts], KNOWN.usual)
    return [{*groups} for groups, _ in found]


def _kinds(text: str) -> set[str]:
    found = tokens.pieces(text)
    return {*found.words, *+found.shared}
