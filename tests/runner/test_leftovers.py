"""Leftovers: what anybody may need is never among them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.ledger import IN_FLIGHT, EntryState, Recorded, Summary
from jobs.runner.leftovers import Keep, datasets, kept, leftovers
from tests.runner.states import A1, A2, A3, INPUTS, entry, record, wanted

NONE = Keep(newest=0, days=0)
OLD = 40 * 24 * 3600.0


def day(number: int, fingerprint: str, state: EntryState = "succeeded") -> Summary:
    created, model = f"2026-11-{number:02}T10:00:00+00:00", f"models/{fingerprint[:2]}@1"
    return entry(fingerprint, state, created=created, tuned_model=model)


THREE = (day(1, A1), day(2, A2), day(3, A3))


def gone(one: Recorded, *desired: object, keep: Keep = NONE, age: float = OLD) -> list[str]:
    found = leftovers({"a": one}, desired, keep, lambda stamp: age)  # type: ignore[arg-type]
    return [fingerprint for _, fingerprint in found]


def test_what_nobody_asks_for_goes_with_the_reason() -> None:
    failed = day(2, A2, "failed")
    found = leftovers({"a": record(THREE[0], failed)}, [], NONE, lambda stamp: OLD)
    assert found == {
        ("a", A1): "not served, and no spec asks for it",
        ("a", A2): "failed, and no spec asks for it",
    }


def test_what_is_kept_says_by_what() -> None:
    flying = day(9, "f1" * 32, "submitted")
    more = [day(n, f"{n}b" * 32) for n in (4, 5, 6, 7)]
    one = replace(record(*THREE, flying, *more, active=A1), instead_of=A2)
    specs = [wanted("b", A3), wanted("c", "f" * 64, pin=more[0].fingerprint[:8])]
    found = kept({"a": one}, specs, Keep(newest=1, days=0), lambda stamp: OLD)
    assert {fingerprint: why for (_, fingerprint), why in found.items()} == {
        A1: "served",
        A2: "taken back by a rollback that stands (--keep 0 lets it go)",
        A3: "asked for by the spec b",
        more[0].fingerprint: "pinned by the spec c",
        more[3].fingerprint: "among the newest 1 of a name beside the served one (--keep)",
        flying.fingerprint: "in flight",
    }
    young = kept({"a": record(THREE[0])}, [], Keep(newest=0, days=50), lambda stamp: OLD)
    assert young == {("a", A1): "younger than 50 days (--older-than)"}


def test_what_is_served_or_taken_back_stays() -> None:
    assert gone(record(*THREE, active=A1)) == [A3, A2]
    back = replace(record(*THREE, active=A1), instead_of=A2)
    assert gone(back, keep=Keep(newest=1, days=0)) == []  # the newest is another one
    assert gone(back) == [A3, A2]


def test_what_a_spec_of_any_name_asks_for_or_pins_stays() -> None:
    assert gone(record(*THREE), wanted("b", A2)) == [A3, A1]
    assert gone(record(*THREE), wanted("b", "f" * 64, pin=A3[:8])) == [A2, A1]


@pytest.mark.parametrize("state", ["submitting", "submitted"])
def test_what_is_in_flight_stays(state: EntryState) -> None:
    assert gone(record(day(1, A1, state))) == []


def test_the_newest_that_succeeded_stay_beside_the_served_one() -> None:
    failed = day(4, "f" * 64, "failed")
    one = record(*THREE, failed, active=A3)
    assert gone(one, keep=Keep(newest=1, days=0)) == ["f" * 64, A1]
    assert gone(one, keep=Keep(newest=2, days=0)) == ["f" * 64]


def test_what_is_younger_than_asked_for_stays() -> None:
    assert gone(record(*THREE), keep=Keep(newest=0, days=41)) == []
    assert gone(record(*THREE), keep=Keep(newest=0, days=39)) == [A3, A2, A1]


def test_what_a_kept_tuning_went_on_from_stays_with_it() -> None:
    first, second = (replaced(day(n, key), f"models/7@{n}") for n, key in ((1, A1), (2, A2)))
    assert gone(record(first, second, active=A2)) == []
    assert gone(record(first, second)) == [A2, A1]  # the first version is the last to go
    assert gone(record(first, replaced(day(2, A2), "models/8@1"), active=A2)) == [A1]


def replaced(one: Summary, tuned_model: str) -> Summary:
    return one.model_copy(update={"tuned_model": tuned_model})


def test_a_dataset_is_needed_by_what_stays_and_by_what_is_asked_for() -> None:
    other = entry(A2, inputs={**INPUTS, "dataset": "e" * 64})
    asked = wanted("b", A3, inputs={**INPUTS, "dataset": "c" * 64})
    recorded = {"a": record(entry(A1), other)}
    assert datasets(recorded, [asked], {("a", A1)}) == {"e" * 64, "c" * 64}
    assert datasets(recorded, [], ()) == {"d" * 64, "e" * 64}


states = st.sampled_from(["submitting", "submitted", "succeeded", "failed", "cancelled"])


@given(st.lists(states, max_size=8), st.integers(0, 7), st.integers(0, 7), st.integers(0, 3))
def test_whatever_is_recorded_nothing_needed_goes(
    found: list[EntryState], active: int, asked: int, newest: int
) -> None:
    keys = [f"{number:064x}" for number in range(8)]
    entries = [day(i + 1, keys[i], state) for i, state in enumerate(found)]
    one = record(*entries, active=keys[active])
    left = gone(one, wanted("b", keys[asked]), keep=Keep(newest, 0))
    states = dict(zip(keys, found, strict=False))
    stays = {key: state for key, state in states.items() if key not in left}
    assert {keys[active], keys[asked]}.isdisjoint(left)
    assert not [key for key in left if states[key] in IN_FLIGHT]
    kept = sum(state == "succeeded" for state in stays.values())
    assert kept >= min(newest, found.count("succeeded"))
