"""Guards: each stands against just what it is for, and says the name that lifts it."""

from collections.abc import Mapping

import pytest

from jobs.runner.diff import diff
from jobs.runner.entry import Recorded
from jobs.runner.guards import Guard, guards
from jobs.runner.ledger import Owner
from jobs.runner.spending import Spent
from jobs.runner.stack import Settings
from tests.runner.states import A1, A2, INPUTS, by_name, entry, served, wanted

OURS = Owner(project="vertune", stack="dev", repository="git.example/team/models")


def settings(cap: float | None = None) -> Settings:
    return Settings.model_validate(
        {
            "gcp:project": "acme",
            "gcp:region": "us-central1",
            "vertune:bucket": "acme-vertune",
            "vertune:maxUsd": cap,
        }
    )


def standing(
    desired: Mapping[str, object],
    recorded: Mapping[str, Recorded],
    cap: float | None = None,
    marked: Owner | None = OURS,
) -> list[Guard]:
    plan = diff(desired, recorded)  # type: ignore[arg-type]
    return list(guards(plan, recorded, settings(cap), OURS, marked))


def many(count: int, fingerprint: str = A1) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for number in range(count):
        found |= served(entry(fingerprint, name=f"n{number}"))
    return found


def test_a_plan_within_all_bounds_is_not_held_up() -> None:
    assert standing(by_name(wanted()), {}, cap=1) == []
    assert standing(by_name(wanted()), {}, marked=None) == []


def test_a_price_above_the_stacks_cap_or_unknown_is_refused() -> None:
    (guard,) = standing(by_name(wanted()), {}, cap=0.05)
    assert guard.name == "cap"
    assert str(guard).startswith("the price is about $0.09, and vertune:maxUsd of this stack is")
    assert str(guard).endswith("; to apply it all the same: --allow cap")
    from jobs.runner.estimate import Estimate

    unknown = wanted(estimate=Estimate(None, 10, None, ()))
    assert [guard.name for guard in standing(by_name(unknown), {}, cap=100)] == ["cap"]
    assert standing({}, served(entry()), cap=0) == []


def monthly(cap: int | None, spent: Spent) -> list[str]:
    stack = settings().model_copy(update={"monthly_usd": cap})
    return [
        guard.reason
        for guard in guards(diff(by_name(wanted()), {}), {}, stack, OURS, OURS, spent=spent)
    ]


def test_a_plan_above_what_a_month_may_still_cost_is_refused() -> None:
    assert monthly(None, Spent(billed=500)) == monthly(1, Spent(billed=0.9)) == []
    assert monthly(1, Spent(billed=0.5, under_way=0.45)) == [
        "the price is about $0.09, this month has cost $0.95, and vertune:monthlyUsd of this stack"
        " is $1"
    ]
    (unknown,) = monthly(100, Spent(unknown=2))
    assert "and 2 tunings of unknown cost" in unknown


def test_a_bucket_of_another_stack_or_repository_is_not_touched() -> None:
    for other in (
        Owner(project="vertune", stack="prod", repository=OURS.repository),
        Owner(project="vertune", stack="dev", repository="git.example/other/models"),
    ):
        (guard,) = standing(by_name(wanted()), {}, marked=other)
        assert guard.name == "foreign"
        assert str(other) in guard.reason


@pytest.mark.parametrize(("kept", "gone", "held"), [(15, 4, False), (15, 5, False), (10, 5, True)])
def test_many_specs_gone_at_once_are_asked_about(kept: int, gone: int, held: bool) -> None:
    specs = by_name(*(wanted(f"n{number}") for number in range(kept)))
    found = standing(specs, many(kept + gone))
    assert [guard.name for guard in found] == (["mass-change"] if held else [])


def test_all_specs_retrained_for_one_dataset_they_share_are_asked_about() -> None:
    changed = {**INPUTS, "dataset": "e" * 64}
    place = {"dataset": "datasets/shared"}
    specs = by_name(*(wanted(f"n{n}", A2, inputs=changed, places=place) for n in range(2)))
    # Two names of one fingerprint are tuned once: each has its own here.
    specs["n1"] = wanted("n1", "b2" * 32, inputs=changed, places=place)
    (guard,) = standing(specs, many(2))
    assert guard.name == "shared-data"
    assert "datasets/shared" in guard.reason
    own = {**specs, "n1": wanted("n1", "b2" * 32, inputs=changed, places={"dataset": "other"})}
    assert standing(own, many(2)) == []
    one_stays = {**specs, "n2": wanted("n2")}
    assert standing(one_stays, many(3)) == []
