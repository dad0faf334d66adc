"""Continuing: a tuning that goes on from another's model comes after it, and only then."""

import pytest

from jobs.runner.apply import apply
from jobs.runner.commands import Place
from jobs.runner.diff import diff
from jobs.runner.errors import Problems
from jobs.runner.plan import Action
from tests.conftest import Repository
from tests.runner.states import A1, A2, by_name, entry, record, score, served, wanted
from tests.runner.test_apply import all_jobs, planned, tools

CHILD = wanted("child", A2, inputs={**wanted().inputs, "continues": A1}, continues="parent")
PARENT = wanted("parent", A1)


def said(recorded: object, *desired: object) -> dict[str, tuple[Action, str]]:
    plan = diff(by_name(*desired), recorded)  # type: ignore[arg-type]
    return {change.name: (change.action, change.reason) for change in plan.changes}


def test_it_waits_for_what_it_goes_on_from() -> None:
    found = said({}, PARENT, CHILD)
    assert found["parent"][0] is Action.SUBMIT
    assert found["child"] == (Action.WAIT, "goes on from parent, which is tuned first")
    in_flight = {"parent": record(entry(A1, "submitted", "parent"))}
    assert said(in_flight, PARENT, CHILD)["child"][0] is Action.WAIT


def test_its_price_counts_although_it_waits() -> None:
    assert diff(by_name(PARENT, CHILD), {}).price_usd == pytest.approx(0.18)


def test_once_that_is_tuned_it_is_submitted_from_its_model() -> None:
    plan = diff(by_name(PARENT, CHILD), served(entry(A1, name="parent")))
    (change,) = plan.changes
    assert (change.action, change.name) == (Action.SUBMIT, "child")
    assert change.parent is not None
    assert change.parent.tuned_model is not None


def test_a_failed_parent_blocks_it_with_the_reason() -> None:
    failed = {"parent": record(entry(A1, "failed", "parent"))}
    action, reason = said(failed, PARENT, CHILD)["child"]
    assert action is Action.BLOCKED
    assert reason.startswith("goes on from parent, which is blocked: failed: the service ran out")


def test_a_parent_below_its_mark_blocks_it() -> None:
    low = {"parent": record(entry(A1, name="parent", score=score(0.5)))}
    parent = wanted("parent", A1, at_least=0.9)
    assert said(low, parent, CHILD)["child"] == (
        Action.BLOCKED,
        "goes on from parent, which is blocked: is below its mark",
    )


def test_a_pinned_parent_blocks_it_and_the_reason_says_the_pin() -> None:
    pinned = wanted("parent", A1, pin="b" * 12)
    for recorded in (served(entry("b" * 64, name="parent")), {"parent": record(entry("b" * 64))}):
        action, reason = said(recorded, pinned, CHILD)["child"]
        assert action is Action.BLOCKED
        assert "pinned to bbbbbbbbbbbb" in reason
        assert "take the pin out" in reason


def test_it_is_blocked_along_a_chain() -> None:
    last = wanted("last", "a3" * 32, inputs={**CHILD.inputs, "continues": A2}, continues="child")
    failed = {"parent": record(entry(A1, "failed", "parent"))}
    found = said(failed, PARENT, CHILD, last)
    assert found["last"][0] is Action.BLOCKED
    assert found["last"][1].startswith("goes on from child, which is blocked: goes on from parent")


# On the emulator


@pytest.fixture
def place(provisioned: Repository) -> Place:
    return Place("local", provisioned.root)


def child_of(repository: Repository, name: str, parent: str) -> None:
    repository.job(name)
    path = repository.root / f"jobs/{name}.yaml"
    text = path.read_text().replace("epochs: 2", f"epochs: 2\n  continue_from: {parent}")
    path.write_text(text)


def test_both_are_tuned_one_after_the_other(place: Place, provisioned: Repository) -> None:
    child_of(provisioned, "a-child", "parent")
    provisioned.job("parent")
    for _ in range(2):
        found = planned(place)
        assert not apply(tools(place), found.plan, found.resolved).failed
    assert not planned(place).plan
    newest, oldest = all_jobs(place)
    assert newest.labels["vertune-spec"] == "a-child"
    assert oldest.labels["vertune-spec"] == "parent"
    recorded = place.ledger.recorded()
    parent, child = recorded["parent"].served, recorded["a-child"].served
    assert parent is not None
    assert child is not None
    assert child.inputs["continues"] == parent.fingerprint
    read = place.ledger.read("a-child", child.fingerprint)
    assert read is not None
    assert read[0].pre_tuned_model == parent.tuned_model


def test_new_data_of_the_parent_retrains_both(place: Place, provisioned: Repository) -> None:
    provisioned.job("parent")
    child_of(provisioned, "child", "parent")
    before = {one.file.name: one.desired for one in place.resolve()}
    provisioned.data("parent", "train", ("another match", "sports"), ("a bank", "business"))
    after = {one.file.name: one.desired for one in place.resolve()}
    for name in ("parent", "child"):
        old, new = before[name], after[name]
        assert old is not None
        assert new is not None
        assert old.fingerprint != new.fingerprint


def test_a_child_alone_is_planned_as_with_its_parent(place: Place, provisioned: Repository) -> None:
    provisioned.job("parent")
    child_of(provisioned, "child", "parent")
    (alone,) = place.resolve(["child"])
    (whole,) = (one for one in place.resolve() if one.file.name == "child")
    assert alone.desired == whole.desired


def test_circles_and_unknown_or_unlike_parents_are_said_with_their_line(
    place: Place, provisioned: Repository
) -> None:
    child_of(provisioned, "one", "two")
    child_of(provisioned, "two", "one")
    child_of(provisioned, "three", "tow")
    provisioned.job("other")
    path = provisioned.root / "jobs/other.yaml"
    path.write_text(path.read_text().replace("3.1-flash-lite", "3.5-flash"))
    child_of(provisioned, "unlike", "other")
    with pytest.raises(Problems) as error:
        planned(place)
    said = str(error.value)
    assert "jobs/two.yaml:6: tuning.continue_from: goes round in a circle: one → two → one" in said
    assert (
        'jobs/three.yaml:6: tuning.continue_from: no spec "tow" is meant for this stack;'
        ' did you mean "two"?' in said
    )
    assert "jobs/unlike.yaml:6: tuning.continue_from: other is of another base model" in said
