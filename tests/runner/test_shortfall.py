"""Shortfalls: what a plan has nothing to do about, and a person should know."""

from dataclasses import replace

from jobs.runner.ledger import Recorded
from jobs.runner.plan import Desired
from jobs.runner.shortfall import shortfalls
from tests.runner.states import A1, A2, entry, record, score, wanted

MARKED = wanted(at_least=0.95)


def short(desired: Desired, recorded: Recorded) -> str | None:
    return shortfalls(["a"], {"a": desired}, {"a": recorded}).get("a")


def test_what_is_below_its_mark_says_what_it_reached_and_what_is_served() -> None:
    below = entry()
    said = "reached 0.900 by accuracy, below its mark of 0.95"
    assert short(MARKED, record(below)) == f"{said}: it is not served"
    assert short(MARKED, record(below, entry(A2), active=A2)) == (
        f"{said}: it is not served; what was served before still is"
    )
    assert short(MARKED, record(below, active=A1)) == (
        f"{said}; it is served all the same, as a person asked for"
    )
    assert short(MARKED, record(entry(score=None))) == (
        "was not scored, below its mark of 0.95: it is not served"
    )


def test_what_is_worse_than_its_base_model_is_told_where_no_mark_is_set() -> None:
    worse = record(entry(score=score(0.4)), active=A1)
    assert short(wanted(), worse) == (
        "scores 0.400 by accuracy, less than its base model's 0.500; it is served, for its spec"
        " sets no mark: mend its data or its tuning, or set evaluation.at_least"
    )
    assert short(wanted(at_least=0.3), worse) is None


def test_nothing_is_told_of_what_is_as_it_should_be_or_was_taken_back() -> None:
    assert short(wanted(), record(entry(), active=A1)) is None
    assert short(MARKED, record(entry(score=score(0.99)), active=A1)) is None
    assert short(MARKED, record(entry(A2), active=A2)) is None
    assert short(MARKED, replace(record(entry(), entry(A2), active=A2), instead_of=A1)) is None


def test_of_a_pin_what_it_names_is_looked_at() -> None:
    pinned = wanted(fingerprint=A2, pin=A1[:12])
    assert "0.400" in (short(pinned, record(entry(score=score(0.4)), active=A1)) or "")
