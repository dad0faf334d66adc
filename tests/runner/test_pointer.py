"""Pointer: what is served moves forth and back, in the ledger first, and nothing is tuned."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import pointer
from jobs.runner.commands import Place
from jobs.runner.entry import Recorded, Summary
from jobs.runner.errors import RemoteError, VertuneError
from jobs.runner.pointer import ALIAS, Move, promotion, rollback
from tests.conftest import Repository
from tests.runner.states import A1, A2, A3, entry, record, score
from tests.runner.tuned import (
    applied,
    finished,
    place_with,
    planned,
    record_of,
    refused_at_each_call,
)

Choose = Callable[..., Move]


def day(number: int, fingerprint: str, **values: object) -> Summary:
    return entry(fingerprint, created=f"2026-11-{number:02}T10:00:00+00:00", **values)  # type: ignore[arg-type]


THREE = (day(1, A1), day(2, A2), day(3, A3))


def ledger(
    active: str | None, *entries: Summary, instead_of: str | None = None
) -> dict[str, Recorded]:
    return {"a": replace(record(*(entries or THREE), active=active), instead_of=instead_of)}


# What is chosen


def test_the_newest_is_promoted_unless_another_is_named() -> None:
    assert promotion(ledger(A1), "a", None, None).entry.fingerprint == A3
    assert promotion(ledger(A1), "a", A2[:6], None).entry.fingerprint == A2


def test_promoting_what_a_rollback_took_back_ends_the_rollback() -> None:
    move = promotion(ledger(A2, instead_of=A3), "a", None, None)
    assert (move.entry.fingerprint, move.before, move.instead_of) == (A3, A2, None)


def test_a_rollback_goes_to_what_was_before_and_holds_it_there() -> None:
    move = rollback(ledger(A3), "a", None, None)
    assert (move.entry.fingerprint, move.before, move.instead_of) == (A2, A3, A3)


def test_the_same_rollback_twice_is_one_step_and_a_named_one_goes_further() -> None:
    rolled_back = ledger(A2, instead_of=A3)
    again = rollback(rolled_back, "a", None, None)
    assert again.stands
    assert (again.entry.fingerprint, again.instead_of) == (A2, A3)
    further = rollback(rolled_back, "a", A1[:8], None)
    assert (further.entry.fingerprint, further.instead_of) == (A1, A3)


@pytest.mark.parametrize("choose", [promotion, rollback])
def test_what_is_served_already_stays_with_all_that_was_said_of_it(choose: Choose) -> None:
    move = choose(ledger(A2, instead_of=A3), "a", A2, 0.99)
    assert move.stands
    assert move.instead_of == A3


@pytest.mark.parametrize("choose", [promotion, rollback])
def test_what_is_below_the_mark_is_served_only_when_it_is_asked_for(choose: Choose) -> None:
    poor = day(2, A2, score=score(0.4))
    with pytest.raises(VertuneError, match=r"reached 0\.400, below its mark of 0\.9; .*--below-m"):
        choose(ledger(A1, THREE[0], poor), "a", A2, 0.9)
    assert choose(ledger(A1, THREE[0], poor), "a", A2, None).entry == poor


def test_what_was_never_scored_is_below_any_mark() -> None:
    with pytest.raises(VertuneError, match="was not scored"):
        promotion(ledger(A1, THREE[0], day(2, A2, score=None)), "a", None, 0.1)


def test_a_rollback_passes_over_what_was_never_good_enough_to_be_served() -> None:
    poor = day(2, A2, score=score(0.4))
    found = ledger(A3, THREE[0], poor, THREE[2])
    assert rollback(found, "a", None, 0.8).entry.fingerprint == A1


@pytest.mark.parametrize(
    ("choose", "found", "begins", "why"),
    [
        (promotion, {}, None, "nothing is recorded as a"),
        (promotion, ledger(None, day(1, A1, state="failed")), None, "nothing that was tuned"),
        (promotion, ledger(A1), "a2a2", "give 6 or more hex digits"),
        (promotion, ledger(A1), "A2A2A2A2", "give 6 or more hex digits"),
        (promotion, ledger(A1), "b" * 8, "no fingerprint of a begins with bbbbbbbb; tuned are: a3"),
        (promotion, ledger(A1, THREE[0], day(2, A1[:10] + "0" * 54)), A1[:8], "2 fingerprints"),
        (promotion, ledger(A1, THREE[0], day(2, A2, state="failed")), A2, "is failed"),
        (rollback, ledger(None), None, "nothing is served as a; see `vertune promote a`"),
        (rollback, ledger(A1), None, "nothing older than what is served is recorded as a"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    choose: Choose, found: dict[str, Recorded], begins: str | None, why: str
) -> None:
    with pytest.raises(VertuneError, match=why):
        choose(found, "a", begins, None)


# What is done


def carried_out(place: Place, choose: Choose, begins: str | None = None) -> None:
    recorded = place.ledger.recorded()
    move = choose(recorded, "one", begins, None)
    pointer.carry_out(move, recorded, place.ledger, place.registry)


def with_alias(place: Place) -> set[str]:
    """The fingerprints whose tuned models carry the alias."""
    return {
        key
        for key, entry in record_of(place, "one").entries.items()
        if (model := place.registry.model(entry.tuned_model or "")) and ALIAS in model.aliases
    }


def test_back_and_forth_costs_no_job_and_every_plan_in_between_is_empty(
    provisioned: Repository,
) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    carried_out(place, rollback)
    assert record_of(place, "one").active == first.fingerprint
    assert with_alias(place) == {first.fingerprint}
    assert not planned(place)
    carried_out(place, promotion)
    assert record_of(place, "one").active == second.fingerprint
    assert record_of(place, "one").instead_of is None
    assert with_alias(place) == {second.fingerprint}
    assert not planned(place)
    assert len(place.vertex.jobs({})) == 2


def test_refused_at_any_call_the_same_command_once_more_finishes(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)

    carried_out(place, promotion)
    seen = 0
    for call, done in refused_at_each_call(emulator, lambda: carried_out(place, rollback)):
        assert not done, call
        assert record_of(place, "one").active in (first.fingerprint, second.fingerprint), call
        assert finished(lambda: carried_out(place, rollback)), call
        assert record_of(place, "one").active == first.fingerprint, call
        assert record_of(place, "one").instead_of == second.fingerprint, call
        assert with_alias(place) == {first.fingerprint}, call
        carried_out(place, promotion)
        seen += 1
    assert seen >= 2 * 6  # the list, the model, pointer and alias


def test_a_tuned_model_that_is_gone_is_not_served(
    provisioned: Repository, emulator: Emulator
) -> None:
    place, (_, second) = place_with(provisioned, "one", 2)
    emulator.faults.set(Rule("gone", method="GET", path="*/models/*", status=404))
    with pytest.raises(VertuneError, match="is gone from the registry"):
        carried_out(place, rollback)
    assert record_of(place, "one").active == second.fingerprint


def test_what_is_served_under_another_name_keeps_its_alias(provisioned: Repository) -> None:
    place, (first, second) = place_with(provisioned, "one", 2)
    provisioned.spec("two", (provisioned.root / "jobs/one.yaml").read_text("utf-8"))
    applied(place)
    carried_out(place, promotion)
    assert with_alias(place) == {second.fingerprint}
    carried_out(place, rollback)
    assert with_alias(place) == {first.fingerprint, second.fingerprint}


def test_a_refusal_of_the_alias_is_told(provisioned: Repository, emulator: Emulator) -> None:
    place, (first, _) = place_with(provisioned, "one", 2)
    emulator.faults.set(Rule("no", path="*:mergeVersionAliases", status=403))
    with pytest.raises(RemoteError, match="moving an alias"):
        carried_out(place, rollback)
    assert record_of(place, "one").active == first.fingerprint
