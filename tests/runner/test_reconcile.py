"""Reconciliation: what earlier tunings were billed and took changes what the next is said to."""

from datetime import date
from typing import Any

import pytest

from jobs.runner import desired, spec
from jobs.runner.commands import Place
from jobs.runner.desired import Resolved, revised
from jobs.runner.entry import Recorded
from jobs.runner.reconcile import reconcile
from tests.conftest import SPEC, Repository
from tests.runner.states import A1, A2, entry, record

TODAY = date(2026, 11, 23)
FIGURES: dict[str, Any] = {"epochs": 2, "estimated_tokens": 1000, "billed_tokens": 1200}
TIMES: dict[str, Any] = {
    "started": "2026-11-20T10:00:00+00:00",
    "finished": "2026-11-20T10:20:00+00:00",
}
BILLED = {"a": record(entry(A1, **FIGURES, **TIMES))}


def resolved(repository: Repository, text: str | None = None) -> Resolved:
    repository.job("a")
    if text is not None:
        repository.spec("a", text)
    place = Place("local", repository.root)
    (file,) = spec.load(repository.root, "local")
    return desired.resolve(file, repository.root, place.settings, place.open_bucket, TODAY)


def learnt(one: Resolved, recorded: dict[str, Recorded] = BILLED) -> Resolved:
    found = reconcile([one], recorded).resolved["a"]
    assert found.desired is not None
    return found


def test_an_estimate_is_corrected_by_what_was_billed_for_the_same_spec(
    repository: Repository,
) -> None:
    before = resolved(repository)
    after = learnt(before).desired
    assert before.desired is not None
    assert after is not None
    cost, text = after.estimate, before.desired.estimate
    assert cost.tokens == round(text.tokens * 1.2)
    assert (cost.low, cost.high) == pytest.approx((cost.tokens * 0.95, cost.tokens * 1.05), abs=1)
    assert cost.price_usd == pytest.approx(cost.tokens * 2 * 3e-6)
    assert cost.offline == text
    assert cost.basis == "estimated, corrected by 1 earlier bill"
    assert cost.seconds == pytest.approx(1200 / 1200 * cost.tokens * 2)


def test_another_specs_bill_tells_of_time_alone(repository: Repository) -> None:
    before = resolved(repository)
    cost = learnt(before, {"b": record(entry(A2, name="b", **FIGURES, **TIMES))}).desired
    assert cost is not None
    assert before.desired is not None
    assert cost.estimate.tokens == before.desired.estimate.tokens
    assert cost.estimate.seconds is not None


def test_what_the_service_counted_is_not_corrected(repository: Repository) -> None:
    counted = revised(resolved(repository), 77, "counted by Vertex AI")
    found = learnt(counted).desired
    assert found is not None
    assert (found.estimate.tokens, found.estimate.basis) == (77, "counted by Vertex AI")


def test_a_budget_is_held_against_what_was_learnt(repository: Repository) -> None:
    before = resolved(repository)
    assert before.desired is not None
    price = before.desired.estimate.price_usd
    tight = resolved(repository, SPEC.format(name="a") + f"budget_usd: {price:.15f}\n")
    assert tight.desired is not None
    assert not tight.desired.refusals
    found = learnt(tight).desired
    assert found is not None
    assert "over the budget" in found.refusals["budget"]


def test_epochs_that_were_left_to_the_service_are_told_of(repository: Repository) -> None:
    text = SPEC.format(name="a").replace("epochs: 2", "epochs: auto")
    inputs = entry().inputs | {"hyperparameters": {"epochs": "auto"}}
    past = {"a": record(entry(A1, inputs=inputs, epochs=7, epoch_tokens=100, billed_tokens=800))}
    found = learnt(resolved(repository, text), past).desired
    assert found is not None
    assert found.estimate.basis == "estimated, corrected by 1 earlier bill"
    assert found.estimate.notes[-1].startswith("the service chose 7 epochs the last time: about")


class Walked(dict[str, Recorded]):
    """All that is recorded, and how often somebody went through all of it."""

    times = 0

    def values(self) -> Any:
        self.times += 1
        return super().values()


def test_all_that_is_recorded_is_gone_through_as_often_for_many_specs_as_for_one(
    repository: Repository,
) -> None:
    """For each of thousands of specs it would take half a minute."""
    for name in ("a", "b", "c"):
        repository.job(name)
    every = Place("local", repository.root).resolve()
    one, all_of_them = Walked(BILLED), Walked(BILLED)
    reconcile(every[:1], one)
    reconcile(every, all_of_them)
    assert one.times == all_of_them.times > 0
