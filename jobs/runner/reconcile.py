"""Reconciliation: desired against recorded, for the commands that plan and apply."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from jobs.runner import billing
from jobs.runner.desired import Resolved, revised
from jobs.runner.diff import allowed, diff
from jobs.runner.errors import Problems
from jobs.runner.estimate import ESTIMATED
from jobs.runner.ledger import Recorded
from jobs.runner.plan import Change, Plan
from jobs.runner.shortfall import shortfalls


@dataclass(frozen=True)
class Reconciliation:
    """The two sides and what lies between them."""

    resolved: Mapping[str, Resolved]
    recorded: Mapping[str, Recorded]
    plan: Plan

    @property
    def short(self) -> dict[str, str]:
        """Why what is in sync is not what was hoped for, by name."""
        desired = {name: one.desired for name, one in self.resolved.items() if one.desired}
        return shortfalls(self.plan.unchanged, desired, self.recorded)

    def of(self, wanted: Callable[[Change], bool]) -> Reconciliation:
        """The same with just some of the changes."""
        changes = tuple(change for change in self.plan.changes if wanted(change))
        return replace(self, plan=Plan(changes, self.plan.unchanged))


def reconcile(
    resolved: Sequence[Resolved],
    recorded: Mapping[str, Recorded],
    select: Sequence[str] = (),
    retry: Sequence[str] = (),
    allow: Sequence[str] = (),
    others: Collection[str] = (),
) -> Reconciliation:
    """Compare the two; with `select`, only those names, `others` being what else has a spec.

    Raises Problems for errors in any spec.
    """
    if faults := [finding.problem for one in resolved for finding in one.errors]:
        raise Problems(faults)
    usual = billing.usual(recorded)
    by_name = {one.file.name: learnt(one, recorded, usual) for one in resolved}
    desired = {name: one.desired for name, one in by_name.items() if one.desired}
    plan = diff(desired, recorded, retry, allow, others)
    by_name = {name: _lifted(one, allow) for name, one in by_name.items()}
    if select:
        plan = Plan(
            tuple(change for change in plan.changes if change.name in select),
            tuple(name for name in plan.unchanged if name in select),
        )
    return Reconciliation(by_name, recorded, plan)


def _lifted(one: Resolved, allow: Sequence[str]) -> Resolved:
    return replace(one, desired=allowed(one.desired, allow)) if one.desired and allow else one


def learnt(
    one: Resolved, recorded: Mapping[str, Recorded], usual: Mapping[object, float]
) -> Resolved:
    """With what earlier tunings were billed and how long they took; a count stays a count.

    `usual` is the pace of others, see billing.usual.
    """
    if one.desired is None:
        return one
    base, record = one.file.spec.base_model, recorded.get(one.file.name, Recorded())
    bills = billing.correction(record, base)
    if bills and one.desired.estimate.basis == ESTIMATED and not one.dataset.train.with_files:
        tokens = one.desired.estimate.tokens * bills.factor
        low, high = math.floor(tokens * bills.low), math.ceil(tokens * bills.high)
        one = revised(one, round(tokens), bills.basis, low, high)
    assert one.desired is not None
    cost = one.desired.estimate
    said = billing.chosen_epochs(record, cost)
    passes = billing.seconds(record, base, cost.billable_tokens, usual)
    cost = replace(cost, notes=(*cost.notes, *([said] if said else ())), seconds=passes)
    return replace(one, desired=replace(one.desired, estimate=cost))
