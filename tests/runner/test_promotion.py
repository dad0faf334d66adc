"""Promotion: what the stack before has not passed is told, refused, and allowed by name."""

import pytest

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from jobs.runner.diff import diff
from jobs.runner.entry import Recorded
from jobs.runner.plan import Action
from jobs.runner.promotion import Earlier
from tests.conftest import STACK_SETTINGS, Repository
from tests.runner.commands.calls import vertune
from tests.runner.states import A1, A2, by_name, entry, record, score, served, wanted

PLAN = diff(by_name(wanted(at_least=0.8)), {})
PASSED = "the same tuning in dev: accuracy 0.900"


@pytest.mark.parametrize(
    ("recorded", "why"),
    [
        ({}, "was never tuned like this in dev"),
        (served(entry(A2)), "was never tuned like this in dev"),
        ({"a": record(entry(A1, "failed"))}, "has not succeeded in dev: it is failed there"),
        ({"a": record(entry(A1, "submitted"))}, "it is submitted there"),
        (served(entry(A1, score=score(0.7))), "did not reach 0.8 in dev: accuracy 0.700"),
        (served(entry(A1, score=None)), "did not reach 0.8 in dev: not scored"),
        (served(entry(A1)), None),
    ],
)
def test_what_was_not_passed_there_is_not_proven(
    recorded: dict[str, Recorded], why: str | None
) -> None:
    earlier = Earlier("dev", recorded)
    found = list(earlier.unproven(PLAN))
    assert (len(found), why or "") == (bool(why), why if why and why in found[0] else "")
    (change,) = earlier.noted(PLAN).changes
    assert change.desired
    assert (why or PASSED) in change.desired.estimate.notes[-1]


COPY = diff(by_name(wanted(at_least=0.8, copies=True)), {})


@pytest.mark.parametrize(
    ("recorded", "apart", "why"),
    [
        ({}, None, "was never tuned like this in dev"),
        ({"a": record(entry(A1, "failed"))}, None, "has not succeeded in dev"),
        (served(entry(A1)), "it is another's", "it is another's"),
    ],
)
def test_what_cannot_be_copied_is_blocked_whatever_is_allowed(
    recorded: dict[str, Recorded], apart: str | None, why: str
) -> None:
    earlier = Earlier("dev", recorded, apart)
    plan = earlier.noted(COPY)
    (change,) = plan.changes
    assert change.action is Action.BLOCKED
    assert why in change.reason
    assert not change.priced
    assert list(earlier.unproven(plan)) == []


@pytest.mark.parametrize(("reached", "unproven"), [(0.9, 0), (0.7, 1)])
def test_a_copy_names_its_source_and_has_to_have_passed_like_what_is_tuned_again(
    reached: float, unproven: int
) -> None:
    earlier = Earlier("dev", served(entry(A1, score=score(reached))))
    plan = earlier.noted(COPY)
    (change,) = plan.changes
    assert change.action is Action.COPY
    assert change.source
    assert str(change.source.tuned_model) in change.reason
    assert len(list(earlier.unproven(plan))) == unproven


def test_what_costs_nothing_needs_no_proof() -> None:
    plan = diff({}, served(entry(A1)))
    earlier = Earlier("dev", {})
    assert list(earlier.unproven(plan)) == []
    assert earlier.noted(plan) == plan


def test_production_tunes_what_dev_has_passed_and_nothing_else(
    provisioned: Repository, emulator: Emulator
) -> None:
    project = "vertune-local-prod"
    text = STACK_SETTINGS.replace("vertune-local", project) + "  vertune:promotesFrom: local\n"
    (provisioned.root / "Pulumi.prod.yaml").write_text(text, "utf-8")
    storage.bucket(project, project, emulator.url).create(location="us-central1")
    provisioned.job("one")
    words = ("apply", "--yes", "--no-record")
    refused = vertune(provisioned, *words, stack="prod")
    assert refused.exit_code == 1
    assert "one was never tuned like this in local" in refused.stderr
    assert "--allow unproven" in vertune(provisioned, "plan", stack="prod").stdout
    assert Place("prod", provisioned.root).ledger.recorded() == {}
    assert vertune(provisioned, *words).exit_code == 0
    shown = vertune(provisioned, "plan", "-o", "markdown", stack="prod").stdout
    assert "the same tuning in local: accuracy" in shown
    assert vertune(provisioned, *words, stack="prod").exit_code == 0
    provisioned.job("two")
    assert vertune(provisioned, *words, "--allow", "unproven", stack="prod").exit_code == 0
    assert set(Place("prod", provisioned.root).ledger.recorded()) == {"one", "two"}
