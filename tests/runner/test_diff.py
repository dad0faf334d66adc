"""The diff, row by row of its table, and what holds of every plan."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.diff import diff, reaches
from jobs.runner.estimate import Estimate
from jobs.runner.ledger import EntryState, Recorded, Summary
from jobs.runner.plan import Action, Change, Desired, Plan
from tests.runner.states import A1, A2, A3, INPUTS, by_name, entry, record, score, served, wanted


def only(plan: Plan) -> Change:
    (change,) = plan.changes
    return change


def said(plan: Plan) -> list[tuple[str, str]]:
    return [(change.action.value, change.name) for change in plan.changes]


def unknown_price(name: str, fingerprint: str) -> Desired:
    return wanted(name, fingerprint, estimate=Estimate(None, 10, None, ()))


# Row by row


def test_what_was_never_tuned_is_submitted() -> None:
    change = only(diff(by_name(wanted()), {}))
    assert (change.action, change.reason) == (Action.SUBMIT, "new")
    assert change.fingerprint == A1


def test_what_is_to_be_copied_is_never_tuned() -> None:
    plan = diff(by_name(wanted(copies=True)), {})
    assert said(plan) == [("^", "a")]
    assert (plan.tunes, plan.price_usd) == (False, 0.0)


def test_a_copy_that_a_guard_refuses_is_blocked_like_any_other() -> None:
    refused = by_name(wanted(copies=True, refusals={"google-key": "takes no key"}))
    assert said(diff(refused, {})) == [("!", "a")]
    assert said(diff(refused, {}, allow=["google-key"])) == [("^", "a")]


def test_of_two_names_for_one_tuning_one_is_copied_and_the_other_waits_for_it() -> None:
    two = by_name(wanted("a", copies=True), wanted("b", copies=True))
    plan = diff(two, {})
    assert said(plan) == [("^", "a"), ("…", "b")]
    assert plan.changes[1].then is Action.REUSE


def test_a_copy_that_is_there_is_left_alone_and_one_that_failed_needs_a_person() -> None:
    copies = by_name(wanted(copies=True))
    assert not diff(copies, served(entry(job=None)))
    failed = {"a": record(entry(state="failed"))}
    assert said(diff(copies, failed)) == [("!", "a")]
    assert said(diff(copies, failed, retry=["a"])) == [("^", "a")]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("submitted", "in flight"),
        ("submitting", "was being submitted; looked up before anything else"),
    ],
)
@pytest.mark.parametrize("desired", [None, A1, A2])
def test_what_is_in_flight_is_finished_first_whatever_is_asked_for(
    state: EntryState, reason: str, desired: str | None
) -> None:
    specs = by_name(wanted(fingerprint=desired)) if desired else {}
    change = only(diff(specs, {"a": record(entry(A1, state))}))
    assert (change.action, change.fingerprint, change.reason) == (Action.RESUME, A1, reason)
    assert change.source == entry(A1, state)


def test_what_succeeded_and_was_not_scored_is_evaluated() -> None:
    change = only(diff(by_name(wanted()), {"a": record(entry(score=None))}))
    assert (change.action, change.reason) == (Action.RESUME, "tuned, not yet evaluated")


def test_what_was_scored_by_another_metric_is_scored_again_and_not_tuned_again() -> None:
    specs = by_name(wanted(metric="rouge_l"))
    change = only(diff(specs, served(entry())))
    assert change.action is Action.RESUME
    assert change.reason == "scored by accuracy, to be scored by another metric; no new job"


def test_what_can_not_be_scored_is_not_waited_for() -> None:
    without_split = by_name(wanted(metric=None))
    assert not diff(without_split, served(entry(score=None)))
    assert not diff(by_name(wanted()), served(entry(score=None, endpoint=None)))


def test_what_is_served_as_asked_for_is_left_alone() -> None:
    plan = diff(by_name(wanted()), served(entry()))
    assert not plan
    assert plan.unchanged == ("a",)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_failed_is_not_paid_for_again_unasked(state: EntryState) -> None:
    change = only(diff(by_name(wanted()), {"a": record(entry(A1, state, error="no quota"))}))
    assert change.action is Action.BLOCKED
    assert change.reason == f"{state}: no quota; ask with --retry a"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_failed_is_submitted_again_when_a_person_asks(state: EntryState) -> None:
    failed = entry(A1, state)
    change = only(diff(by_name(wanted()), {"a": record(failed)}, retry=["a"]))
    assert (change.action, change.source) == (Action.SUBMIT, failed)
    assert change.reason == f"once more, as it was asked for; {state} before"


def test_a_retry_goes_over_the_failed_entry_while_another_one_is_served() -> None:
    failed = entry(A1, "failed")
    change = only(diff(by_name(wanted()), served(entry(A2), failed), retry=["a"]))
    assert (change.action, change.source) == (Action.SUBMIT, failed)


def test_a_retry_of_what_succeeded_or_is_in_flight_changes_nothing() -> None:
    for recorded in (served(entry()), {"a": record(entry(A1, "submitted"))}):
        assert diff(by_name(wanted()), recorded, retry=["a"]) == diff(by_name(wanted()), recorded)


def test_a_retry_keeps_to_the_budget() -> None:
    specs = by_name(wanted(refusals={"budget": "over the budget"}))
    change = only(diff(specs, {"a": record(entry(A1, "failed"))}, retry=["a"]))
    assert change.action is Action.BLOCKED
    assert change.reason == "over the budget; to tune it all the same: --allow budget"


def test_what_is_below_its_mark_is_neither_served_nor_tuned_again() -> None:
    plan = diff(by_name(wanted(at_least=0.95)), {"a": record(entry(score=score(0.9)))})
    assert not plan
    assert plan.unchanged == ("a",)


def test_what_is_below_its_mark_does_not_replace_what_is_served() -> None:
    specs = by_name(wanted(fingerprint=A2, at_least=0.95))
    assert not diff(specs, served(entry(A1), entry(A2, score=score(0.9))))


def test_a_lower_mark_serves_what_was_tuned_before() -> None:
    change = only(diff(by_name(wanted(at_least=0.8)), {"a": record(entry(score=score(0.9)))}))
    assert change.action is Action.REUSE


def test_what_is_refused_is_blocked_unless_it_is_there_already() -> None:
    specs = by_name(wanted(refusals={"budget": "about $9 is over the budget of $2"}))
    change = only(diff(specs, {}))
    assert change.action is Action.BLOCKED
    assert change.reason.startswith("about $9 is over the budget of $2; ")
    assert not diff(specs, served(entry()))


def test_each_guard_of_a_spec_is_lifted_by_its_own_name_only() -> None:
    specs = by_name(wanted(refusals={"budget": "too dear", "retiring": "too old"}))
    assert only(diff(specs, {})).reason == (
        "too dear; too old; to tune it all the same: --allow budget --allow retiring"
    )
    assert only(diff(specs, {}, allow=["budget"])).reason.startswith("too old; ")
    assert only(diff(specs, {}, allow=["retiring", "cap"])).reason.startswith("too dear; ")
    assert only(diff(specs, {}, allow=["budget", "retiring"])).action is Action.SUBMIT


def test_a_higher_priority_goes_first_whatever_the_size() -> None:
    large = Estimate(epochs=3, tokens=10**6, price_usd=9.0, notes=())
    urgent = wanted("urgent", A2, priority=5, estimate=large)
    specs = by_name(wanted("small"), urgent, wanted("later", A3, priority=1))
    assert [change.name for change in diff(specs, {}).changes] == ["urgent", "later", "small"]


def test_what_a_rollback_took_back_is_not_served_again_by_itself() -> None:
    back = {"a": Recorded({A1: entry(A1), A2: entry(A2)}, active=A2, instead_of=A1)}
    assert not diff(by_name(wanted(fingerprint=A1)), back)
    assert only(diff(by_name(wanted(fingerprint=A3)), back)).action is Action.RETRAIN
    assert not diff(by_name(wanted(fingerprint=A2)), back)


def test_a_pin_serves_what_was_tuned_and_never_tunes() -> None:
    pinned = by_name(wanted(fingerprint=A3, pin=A1[:12]))
    ledger = served(entry(A2), entry(A1))
    change = only(diff(pinned, ledger))
    assert (change.action, change.fingerprint) == (Action.REUSE, A1)
    assert not diff(pinned, served(entry(A1), entry(A2)))
    for nothing in ({}, {"a": record(entry(A1, "failed"))}, served(entry(A2))):
        change = only(diff(pinned, nothing))
        assert change.action is Action.BLOCKED
        assert "no tuned model is recorded" in change.reason


def test_a_pin_is_not_undone_by_a_tuning_that_is_not_scored_yet() -> None:
    unscored = entry(A1, score=None)
    assert only(diff(by_name(wanted(fingerprint=A1)), served(entry(A2), unscored))).action is (
        Action.RESUME
    )
    assert not diff(by_name(wanted(fingerprint=A1, pin=A2[:12])), served(entry(A2), unscored))


def test_a_pin_may_name_what_was_tuned_under_another_name() -> None:
    specs = by_name(wanted("a"), wanted("b", A3, pin=A1[:12]))
    change = only(diff(specs, served(entry(A1, name="a"))))
    assert (change.action, change.name, change.fingerprint) == (Action.REUSE, "b", A1)


def test_other_inputs_retrain_and_say_which_and_where() -> None:
    inputs = INPUTS | {"hyperparameters": {"steps": 100}, "dataset": "e" * 64}
    places = {"steps": "jobs/a.yaml:5", "dataset": "datasets/a"}
    change = only(diff(by_name(wanted("a", A2, inputs=inputs, places=places)), served(entry())))
    assert change.action is Action.RETRAIN
    assert change.reason == (
        "dataset dddddddddddd → eeeeeeeeeeee (datasets/a); epochs 3 → default;"
        " steps default → 100 (jobs/a.yaml:5)"
    )


def test_a_retrain_is_compared_with_what_is_served_or_else_with_the_newest() -> None:
    def with_epochs(fingerprint: str, epochs: int, created: str) -> Summary:
        inputs = INPUTS | {"hyperparameters": {"epochs": epochs}}
        return entry(fingerprint, inputs=inputs, created=created)

    old, new = with_epochs(A2, 1, "2026-01-01"), with_epochs(A3, 2, "2026-02-01")
    assert "epochs 1 → 3" in only(diff(by_name(wanted()), served(old, new))).reason
    assert "epochs 2 → 3" in only(diff(by_name(wanted()), {"a": record(old, new)})).reason


def test_of_entries_of_one_moment_the_same_one_is_always_compared_with() -> None:
    one, other = entry(A2), entry(A3)
    plans = [diff(by_name(wanted()), {"a": record(*o)}) for o in ((one, other), (other, one))]
    assert plans[0] == plans[1]


def test_inputs_that_a_later_version_recorded_still_give_a_reason() -> None:
    change = only(diff(by_name(wanted("a", A2)), served(entry(inputs=INPUTS))))
    assert change.reason == "its inputs changed"


def test_what_was_tuned_before_is_pointed_back_to() -> None:
    change = only(diff(by_name(wanted()), served(entry(A2), entry(A1))))
    assert (change.action, change.fingerprint) == (Action.REUSE, A1)
    assert change.reason == "tuned on 2026-11-20 already; points back, no new job"


def test_another_name_for_the_same_tuning_is_reused() -> None:
    change = only(diff(by_name(wanted("a"), wanted("b")), served(entry())))
    assert (change.action, change.name, change.source) == (Action.REUSE, "b", entry())
    assert change.reason == "the same tuning was done as a; no new job"


def test_a_renamed_spec_is_reused_and_its_old_name_forgotten() -> None:
    plan = diff(by_name(wanted("b")), served(entry()))
    assert said(plan) == [("=", "b"), ("-", "a")]


def test_a_rollback_goes_on_under_the_new_name_of_a_spec() -> None:
    back = {"a": Recorded({A1: entry(A1), A2: entry(A2)}, active=A2, instead_of=A1)}
    plan = diff(by_name(wanted("b")), back)
    assert said(plan) == [("=", "b"), ("-", "a")]
    assert (plan.changes[0].fingerprint, plan.changes[0].instead_of) == (A2, A1)
    renamed = entry(A1, name="b")
    done = Recorded({A1: renamed, A2: entry(A2, name="b")}, active=A2, instead_of=A1)
    assert said(diff(by_name(wanted("b")), {**back, "b": done})) == [("-", "a")]
    cut_off = {**back, "b": record(renamed)}
    assert diff(by_name(wanted("b")), cut_off) == plan


def test_a_rollback_under_a_name_that_is_still_asked_for_holds_there_alone() -> None:
    back = {"a": Recorded({A1: entry(A1), A2: entry(A2)}, active=A2, instead_of=A1)}
    change = only(diff(by_name(wanted("a"), wanted("b")), back))
    assert (change.name, change.fingerprint, change.instead_of) == ("b", A1, None)
    assert change in diff(by_name(wanted("b")), back, others=["a"]).changes  # b alone is selected


def test_another_name_s_tuning_is_served_here_where_it_reaches_the_mark() -> None:
    plan = diff(by_name(wanted("b", at_least=0.8)), {"a": record(entry(score=score(0.9)))})
    assert only(plan).action is Action.REUSE


def test_a_renamed_spec_below_its_mark_is_recorded_under_its_new_name_and_blocks_nothing() -> None:
    below = {"a": record(entry(score=score(0.7)))}
    change = only(diff(by_name(wanted("b", at_least=0.8)), below))
    assert change.action is Action.REUSE
    assert change.reason == (
        "the same tuning was done as a and has 0.700 by accuracy, not the mark here:"
        " recorded and not served; no new job"
    )
    taken_over = {**below, "b": record(entry(name="b", score=score(0.7)))}
    assert not diff(by_name(wanted("b", at_least=0.8)), taken_over)


@pytest.mark.parametrize(
    "values",
    [
        {"score": None, "endpoint": None},
        {"score": score(0.99, "rouge_l"), "endpoint": None},
    ],
)
def test_another_name_s_tuning_is_not_served_below_the_mark_here(values: dict[str, Any]) -> None:
    plan = diff(by_name(wanted("b", at_least=0.8)), {"a": record(entry(**values))})
    assert only(plan).action is Action.BLOCKED
    assert "the same tuning was done as a and has " in only(plan).reason


@pytest.mark.parametrize("other", [score(0.99, "rouge_l"), None])
def test_another_name_s_tuning_that_the_mark_here_says_nothing_of_is_scored_here(
    other: object,
) -> None:
    done = {"a": record(entry(score=other))}
    change = only(diff(by_name(wanted("b", at_least=0.8)), done))
    assert change.action is Action.REUSE
    assert change.reason == "the same tuning was done as a; to be scored here, no new job"
    assert only(diff(by_name(wanted("b", at_least=0.8, pin=A1)), done)).action is Action.BLOCKED


def test_what_is_in_flight_under_another_name_is_waited_for() -> None:
    plan = diff(by_name(wanted("a"), wanted("b")), {"a": record(entry(A1, "submitted"))})
    assert said(plan) == [(">", "a"), ("…", "b")]
    assert plan.changes[1].reason == (
        "the same tuning is in flight as a; it is reused once it is done"
    )


def test_two_names_for_one_new_tuning_are_paid_once() -> None:
    plan = diff(by_name(wanted("a"), wanted("b"), wanted("c", A2)), {})
    assert said(plan) == [("+", "a"), ("+", "c"), ("…", "b")]
    assert plan.changes[2].reason == "a asks for the same tuning; it is tuned once and then reused"
    assert plan.price_usd == pytest.approx(2 * 0.09)


def test_of_two_names_the_one_within_its_budget_is_tuned() -> None:
    plan = diff(by_name(wanted("a", refusals={"budget": "over the budget"}), wanted("b")), {})
    assert said(plan) == [("+", "b"), ("!", "a")]


def test_what_failed_under_another_name_is_not_paid_for_again_unasked() -> None:
    failed = {"a": record(entry(A1, "failed"))}
    change = only(diff(by_name(wanted("b")), failed))
    assert change.action is Action.BLOCKED
    assert change.reason == "failed as a: the service ran out of room; ask with --retry b"
    assert only(diff(by_name(wanted("b")), failed, retry=["b"])).action is Action.SUBMIT


def test_a_failure_here_does_not_hide_a_success_under_another_name() -> None:
    recorded = {"a": record(entry(A1, "failed")), "b": record(entry(A1, name="b"), active=A1)}
    change = only(diff(by_name(wanted("a"), wanted("b")), recorded))
    assert (change.action, change.name) == (Action.REUSE, "a")
    assert change.source is not None
    assert change.source.name == "b"


def test_success_under_any_name_counts_before_failure_under_another() -> None:
    recorded = {
        "a": record(entry(A1, "failed", "a")),
        "c": record(entry(A1, "submitted", "c")),
        "d": record(entry(A1, "succeeded", "d"), active=A1),
    }
    specs = by_name(wanted("b"), wanted("c"), wanted("d"))
    assert said(diff(specs, recorded)) == [(">", "c"), ("=", "b")]


def test_what_no_spec_asks_for_is_forgotten_once() -> None:
    change = only(diff({}, served(entry())))
    assert (change.action, change.fingerprint) == (Action.FORGET, A1)
    assert change.reason == "no spec asks for it any more; nothing remote is deleted"


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_what_no_spec_asks_for_and_nobody_is_served_is_history(state: EntryState) -> None:
    plan = diff({}, {"a": record(entry(A1, state))})
    assert not plan
    assert plan.unchanged == ()


def test_nothing_desired_and_nothing_recorded_is_an_empty_plan() -> None:
    assert diff({}, {}) == Plan()


# Plans as a whole


def test_changes_come_in_the_order_they_are_done() -> None:
    specs = by_name(
        wanted("submit-b", "b1" * 32),
        wanted("submit-a", "b2" * 32),
        wanted("retrain", "b3" * 32),
        wanted("reuse", A1),
        wanted("blocked", "b4" * 32, refusals={"budget": "over the budget"}),
        wanted("wait", "b1" * 32),
    )
    recorded = {
        "forget": record(entry(name="forget"), active=A1),
        "resume": record(entry(A3, "submitted", "resume")),
        "retrain": record(entry(A2, name="retrain"), active=A2),
        "reuse": record(entry(A1, name="reuse"), entry(A2, name="reuse"), active=A2),
    }
    assert said(diff(specs, recorded)) == [
        (">", "resume"),
        ("=", "reuse"),
        ("+", "submit-a"),
        ("+", "submit-b"),
        ("~", "retrain"),
        ("…", "wait"),
        ("-", "forget"),
        ("!", "blocked"),
    ]


def test_of_two_submits_the_smaller_one_is_first() -> None:
    def sized(name: str, fingerprint: str, tokens: int) -> Desired:
        return wanted(name, fingerprint, estimate=Estimate(3, tokens, 0.1, ()))

    plan = diff(by_name(sized("a", A1, 900), sized("b", A2, 100), sized("c", A3, 500)), {})
    assert said(plan) == [("+", "b"), ("+", "c"), ("+", "a")]


def test_the_price_is_the_sum_of_what_is_tuned_or_unknown() -> None:
    assert diff(by_name(wanted("a"), wanted("b", A2)), {}).price_usd == pytest.approx(0.18)
    assert diff(by_name(wanted("a"), unknown_price("b", A2)), {}).price_usd is None
    assert diff(by_name(wanted()), served(entry())).price_usd == 0
    blocked = by_name(replace(unknown_price("b", A2), refusals={"budget": "no"}))
    assert diff(blocked, {}).price_usd == 0


def test_what_waits_and_what_is_blocked_is_not_done_now() -> None:
    specs = by_name(wanted("a"), wanted("b"), wanted("c", A2, refusals={"budget": "no"}))
    assert [change.name for change in diff(specs, {}).blocked] == ["b", "c"]


# Any plan


NAMES = ("a", "b", "c")
FINGERPRINTS = (A1, A2, A3)
STATES: tuple[EntryState, ...] = ("submitting", "submitted", "succeeded", "failed", "cancelled")

_scores = st.none() | st.builds(score, st.sampled_from([0.2, 0.9]), st.sampled_from(["accuracy"]))
_desired = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            wanted,
            st.just(name),
            st.sampled_from(FINGERPRINTS),
            metric=st.sampled_from([None, "accuracy", "rouge_l"]),
            refusals=st.sampled_from([{}, {}, {"budget": "over the budget"}]),
            at_least=st.sampled_from([None, None, 0.5, 0.95]),
        )
        for name in NAMES
    },
)


@st.composite
def _recorded(draw: st.DrawFn) -> dict[str, Recorded]:
    ledger = {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        entries = []
        for fingerprint in draw(st.sets(st.sampled_from(FINGERPRINTS))):
            state = draw(st.sampled_from(STATES))
            found = draw(_scores) if state == "succeeded" else None
            created = f"2026-11-{draw(st.integers(10, 29))}"
            entries.append(entry(fingerprint, state, name, score=found, created=created))
        done = [one.fingerprint for one in entries if one.state == "succeeded"]
        active = draw(st.sampled_from([None, *done, "gone"]))
        back = draw(st.sampled_from([None, None, *done])) if active in done else None
        instead_of = None if back == active else back
        ledger[name] = replace(record(*entries, active=active), instead_of=instead_of)
    return ledger


@dataclass
class World:
    """A ledger that plans are carried out on; `succeeds` says what becomes of each tuning."""

    ledger: dict[str, Recorded]
    succeeds: Mapping[str, bool]
    submitted: Counter[str] = field(default_factory=Counter)

    def apply(self, plan: Plan, desired: Mapping[str, Desired]) -> None:
        for change in plan.changes:
            if change.action.tunes:
                self.submitted[change.fingerprint] += 1
            if change.action.tunes or change.action is Action.RESUME:
                self._finish(change, desired.get(change.name))
            elif change.action is Action.REUSE:
                assert change.source is not None
                self._put(change.source.model_copy(update={"name": change.name}))
                assert change.desired is not None
                if change.instead_of or reaches(change.desired, change.source):
                    self._serve(change.name, change.fingerprint, change.instead_of)
            elif change.action is Action.FORGET:
                self._serve(change.name, None)

    def _finish(self, change: Change, spec: Desired | None) -> None:
        source = change.source if change.action is Action.RESUME else None
        good = source is not None and source.state == "succeeded"
        good = good or self.succeeds[change.fingerprint]
        asked = spec if spec and spec.fingerprint == change.fingerprint else None
        found = score(metric=asked.metric) if good and asked and asked.metric else None
        state: EntryState = "succeeded" if good else "failed"
        self._put(entry(change.fingerprint, state, change.name, score=found))
        if asked and self.ledger[change.name].entries[change.fingerprint].passes(asked.at_least):
            self._serve(change.name, change.fingerprint)

    def _put(self, one: Summary) -> None:
        before = self.ledger.get(one.name, Recorded())
        entries = {**before.entries, one.fingerprint: one}
        self.ledger[one.name] = replace(before, entries=entries)

    def _serve(self, name: str, fingerprint: str | None, instead_of: str | None = None) -> None:
        if fingerprint is None or fingerprint != self.ledger[name].instead_of:
            self.ledger[name] = Recorded(self.ledger[name].entries, fingerprint, instead_of)


_worlds = st.builds(
    World, _recorded(), st.fixed_dictionaries({f: st.booleans() for f in FINGERPRINTS})
)


@given(_desired, _worlds)
def test_carried_out_plans_end_with_one_that_has_nothing_left_to_do(
    desired: dict[str, Desired], world: World
) -> None:
    for _ in range(8):
        plan = diff(desired, world.ledger)
        if all(change.action is Action.BLOCKED for change in plan.changes):
            break
        world.apply(plan, desired)
    else:
        pytest.fail(f"still to do: {said(plan)}")
    assert diff(desired, world.ledger) == plan


@given(_desired, _worlds)
def test_no_tuning_is_ever_paid_twice(desired: dict[str, Desired], world: World) -> None:
    paid = {
        one.fingerprint for recorded in world.ledger.values() for one in recorded.entries.values()
    }
    for _ in range(8):
        plan = diff(desired, world.ledger)
        world.apply(plan, desired)
    assert not paid & set(world.submitted)
    assert all(count == 1 for count in world.submitted.values())


@given(_desired, _recorded(), st.sets(st.sampled_from(NAMES)))
def test_even_a_retry_never_repeats_what_succeeded_or_is_in_flight(
    desired: dict[str, Desired], recorded: dict[str, Recorded], retry: set[str]
) -> None:
    there = {
        one.fingerprint
        for of_name in recorded.values()
        for one in of_name.entries.values()
        if one.in_flight or one.state == "succeeded"
    }
    tuned = [c.fingerprint for c in diff(desired, recorded, retry).changes if c.action.tunes]
    assert not there & set(tuned)
    assert len(tuned) == len(set(tuned))


@given(_desired, _recorded(), st.randoms(use_true_random=False))
def test_the_order_of_what_goes_in_does_not_matter(
    desired: dict[str, Desired], recorded: dict[str, Recorded], chance: random.Random
) -> None:
    def mixed(one: Recorded) -> Recorded:
        entries = chance.sample(list(one.entries.items()), len(one.entries))
        return replace(one, entries=dict(entries))

    specs = dict(chance.sample(list(desired.items()), len(desired)))
    names = chance.sample(list(recorded), len(recorded))
    assert diff(specs, {name: mixed(recorded[name]) for name in names}) == diff(desired, recorded)


@given(_desired, _recorded())
def test_every_name_has_one_place_in_a_plan(
    desired: dict[str, Desired], recorded: dict[str, Recorded]
) -> None:
    plan = diff(desired, recorded)
    names = [change.name for change in plan.changes] + list(plan.unchanged)
    assert len(names) == len(set(names))
    assert set(desired) <= set(names) <= {*desired, *recorded}
    assert all(change.reason for change in plan.changes)
