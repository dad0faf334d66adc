"""Estimates: the units of 2023 are converted aloud, and what is not known is not nothing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.estimate import converted, epochs_of, estimate, usd
from jobs.runner.price import Price
from jobs.runner.spec import Tuning
from jobs.runner.tokens import Guess

READ = date(2026, 9, 24)


def guessed(tokens: float) -> Guess:
    return Guess(tokens, 0.9 * tokens, 1.2 * tokens)


PRICE = Price(3.0, "https://example.com/prices", READ)


@pytest.mark.parametrize(
    ("steps", "examples", "epochs", "said"),
    [
        (100, 100, 8, "100 steps (2023) × 8 / 100 examples = 8 epochs"),
        (100, 126, 7, "100 steps (2023) × 8 / 126 examples = 7 epochs (rounded up)"),
        (1, 10_000, 1, "1 step (2023) × 8 / 10,000 examples = 1 epoch (rounded up)"),
        (
            100,
            25,
            20,
            "100 steps (2023) × 8 / 25 examples = 32 epochs, held to 20: more would only memorise",
        ),
        (50, 20, 20, "50 steps (2023) × 8 / 20 examples = 20 epochs"),
    ],
)
def test_steps_become_epochs_and_say_how(steps: int, examples: int, epochs: int, said: str) -> None:
    tuning = Tuning(steps=steps)
    assert epochs_of(tuning, examples) == epochs
    assert converted(tuning, examples) == {"steps": said}
    assert estimate(tuning, examples, guessed(1000), PRICE, READ).notes == (said,)


def test_the_learning_rate_of_2023_is_said_not_to_count() -> None:
    notes = converted(Tuning(epochs=3, learning_rate=3), 100)
    assert notes == {
        "learning_rate": "learning_rate 3 (2023) is not carried over: today's setting is"
        " learning_rate_multiplier, whose default is 1"
    }


def test_epochs_are_taken_as_they_are() -> None:
    assert epochs_of(Tuning(epochs=40), 25) == 40
    assert converted(Tuning(epochs=40), 25) == {}


@pytest.mark.parametrize("tuning", [Tuning(), Tuning(epochs="auto")])
def test_epochs_left_to_the_service_leave_the_price_open(tuning: Tuning) -> None:
    found = estimate(tuning, 100, guessed(1000), PRICE, READ)
    assert (found.epochs, found.billable_tokens, found.price_usd) == (None, None, None)
    assert found.tokens == 1000
    assert "about 80,000 tokens" in found.revised(2000, "counted").notes[0]
    assert found.notes == (
        "the service chooses the epochs, so the price is open; set tuning.epochs. 40 of them, as it"
        " once chose for 166 examples, take about 40,000 tokens, about $0.12",
    )


def test_the_price_is_tokens_times_epochs_times_the_price_of_a_million() -> None:
    found = estimate(Tuning(epochs=4), 126, guessed(10_250.25), PRICE, READ)
    assert (found.tokens, found.billable_tokens) == (10_251, 41_004)
    assert found.price_usd == pytest.approx(41_004 * 3.00 / 1_000_000)
    assert (found.low, found.high) == (9_226, 12_301)
    assert found.usd_range == pytest.approx((4 * 9_226 * 3e-6, 4 * 12_301 * 3e-6))
    assert found.notes == ()


def test_an_unknown_price_stays_unknown() -> None:
    found = estimate(Tuning(epochs=4), 126, guessed(10_250.25), None, READ)
    assert found.price_usd is None
    assert found.notes == (
        "no price of this base model is known; set vertune:prices if you know it",
    )


@pytest.mark.parametrize(("days", "old"), [(0, False), (90, False), (91, True)])
def test_a_price_that_was_read_long_ago_is_used_and_said_to_be_old(days: int, old: bool) -> None:
    found = estimate(Tuning(epochs=4), 126, guessed(10_250.25), PRICE, READ + timedelta(days))
    assert found.price_usd is not None
    assert [*found.notes] == (
        [
            "the price was read 91 days ago; see https://example.com/prices, and set"
            " vertune:prices if it is another one by now"
        ]
        if old
        else []
    )


def test_files_can_not_be_priced() -> None:
    found = estimate(Tuning(epochs=4), 126, guessed(10_250.25), PRICE, READ, with_files=3)
    assert found.price_usd is None
    assert found.notes == (
        "3 of 126 examples hold files, whose tokens only the service can count"
        " (`vertune plan --exact`)",
    )
    counted = found.revised(12_000, "counted")
    assert counted.notes == ()
    assert counted.price_usd == pytest.approx(4 * 12_000 * 3e-6)
    assert (counted.usd_range, counted.offline) == (None, found)


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (0.0, "about $0.00"),
        (0.0001, "less than $0.01"),
        (0.0099999, "less than $0.01"),
        (0.01, "about $0.01"),
        (1234.5, "about $1,234.50"),
    ],
)
def test_a_small_price_is_not_shown_as_nothing(price: float, said: str) -> None:
    assert usd(price) == said


@given(st.integers(1, 100_000), st.integers(0, 10_000_000))
def test_converted_epochs_are_between_one_and_twenty(steps: int, examples: int) -> None:
    epochs = epochs_of(Tuning(steps=steps), examples)
    assert epochs is not None
    assert 1 <= epochs <= 20
    if epochs < 20:
        assert epochs * max(examples, 1) >= steps * 8
