"""Billing: what was billed stands beside what was estimated, and corrects the next estimate."""

from typing import Any

import pytest

from jobs.runner.billing import (
    billed_tokens,
    billed_usd,
    chosen_epochs,
    correction,
    estimated_tokens,
    estimated_usd,
    seconds,
    usual,
)
from jobs.runner.entry import Recorded, Summary
from jobs.runner.estimate import Estimate
from tests.runner.states import A1, A2, A3, INPUTS, entry, record

BASE = INPUTS["base_model"]
OPEN = INPUTS | {"hyperparameters": {"epochs": "auto"}}
LEFT = Estimate(None, 1000, None, ())


def billed(fingerprint: str, tokens: int, **values: Any) -> Summary:
    given = {"epochs": 3, "estimated_tokens": 3000, "billed_tokens": tokens, "usd_per_million": 3.0}
    return entry(fingerprint, **(given | values))


@pytest.mark.parametrize(
    ("figure", "tokens"), [(3300, 3300), (2500, 2500), (1100, 3300), (900, 2700)]
)
def test_a_figure_of_one_epoch_is_told_from_one_of_all(figure: int, tokens: int) -> None:
    assert billed_tokens(billed(A1, figure)) == tokens


def test_epochs_that_the_service_chose_make_the_estimate_whole_afterwards() -> None:
    left = billed(A1, 7700, estimated_tokens=None, epoch_tokens=1000, epochs=None)
    assert (estimated_tokens(left), billed_tokens(left)) == (None, 7700)
    done = left.model_copy(update={"epochs": 7})
    assert (estimated_tokens(done), billed_tokens(done)) == (7000, 7700)
    found = correction(record(done), BASE)
    assert found is not None
    assert found.factor == pytest.approx(1.1)


def test_dollars_are_at_the_price_of_the_day() -> None:
    one = billed(A1, 3300)
    assert billed_usd(one) == pytest.approx(0.0099)
    assert estimated_usd(one) == pytest.approx(0.009)
    assert billed_usd(billed(A1, 3300, usd_per_million=None)) is None
    assert billed_usd(entry(A1)) is estimated_usd(entry(A1)) is None


def test_the_middle_of_what_was_billed_corrects_the_next_estimate() -> None:
    known = record(billed(A1, 3000), billed(A2, 3300), billed(A3, 3900))
    found = correction(known, BASE)
    assert found is not None
    assert found.factor == pytest.approx(1.1)
    assert (found.low, found.high) == pytest.approx((1 / 1.1, 1.3 / 1.1))
    assert found.basis == "estimated, corrected by 3 earlier bills"


def test_a_bill_of_the_emulators_is_said_to_be_one() -> None:
    found = correction(record(billed(A1, 3300, stand_in="small")), BASE)
    assert found is not None
    assert found.basis == "estimated, corrected by 1 earlier bill of the emulator's"


def test_one_bill_is_no_certainty() -> None:
    found = correction(record(billed(A1, 3300)), BASE)
    assert found is not None
    assert (found.low, found.high) == (0.95, 1.05)


def test_another_base_model_and_what_was_not_billed_correct_nothing() -> None:
    assert correction(record(billed(A1, 3300)), "gemini-3.5-flash") is None
    assert correction(record(entry(A1), entry(A2, "failed")), BASE) is None


def test_what_the_service_chose_is_told_where_it_chooses_again() -> None:
    known = record(billed(A1, 7000, epochs=7, inputs=OPEN), billed(A2, 3300))
    said = chosen_epochs(known, LEFT)
    assert said == "the service chose 7 epochs the last time: about 7,000 tokens"
    assert chosen_epochs(record(billed(A2, 3300)), LEFT) is None
    assert chosen_epochs(known, Estimate(3, 1000, None, ())) is None


def passes(
    recorded: dict[str, Recorded], name: str, base: object, tokens: int | None
) -> float | None:
    return seconds(recorded.get(name, Recorded()), base, tokens, usual(recorded))


def test_time_is_told_by_the_same_spec_and_else_by_the_same_base_model() -> None:
    def took(fingerprint: str, name: str, minutes: int) -> Summary:
        times = {
            "started": "2026-11-20T10:00:00+00:00",
            "finished": f"2026-11-20T10:{minutes:02}:00+00:00",
        }
        return billed(fingerprint, 3000, name=name, **times)

    known = {"a": record(took(A1, "a", 10)), "b": record(took(A2, "b", 30))}
    assert passes(known, "a", BASE, 6000) == pytest.approx(1200)
    assert passes(known, "new", BASE, 3000) == pytest.approx(1200)
    assert passes(known, "new", "gemini-3.5-flash", 3000) is None
    assert passes(known, "a", BASE, None) is None
    assert passes({}, "a", BASE, 3000) is None
