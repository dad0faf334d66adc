"""Guards: what an apply refuses unless a person allows it by name; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.runner.entry import Recorded
from jobs.runner.estimate import counted
from jobs.runner.ledger import Owner
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.spending import Spent
from jobs.runner.stack import Settings

BUDGET = "budget"  # a spec's own cap
RETIRING = "retiring"  # a base model in its last month
CAP = "cap"  # the stack's cap
MASS_CHANGE = "mass-change"
SHARED_DATA = "shared-data"
FOREIGN = "foreign"
UNPROVEN = "unproven"  # what the stack before this one never passed
GOOGLE_KEY = "google-key"  # a base model that does not take the stack's own key
NAMES = (BUDGET, CAP, MASS_CHANGE, SHARED_DATA, RETIRING, FOREIGN, UNPROVEN, GOOGLE_KEY)

# As octoDNS has it for records: https://github.com/octodns/octodns (`max_update_pcent`).
_MOST_SHARE, _FEW = 0.3, 5


@dataclass(frozen=True)
class Guard:
    """A reason not to apply a plan, and the name that lifts it."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}; to apply it all the same: --allow {self.name}"


def guards(
    plan: Plan,
    recorded: Mapping[str, Recorded],
    settings: Settings,
    owner: Owner,
    marked: Owner | None,
    unproven: Sequence[str] = (),
    spent: Spent | None = None,
) -> Iterator[Guard]:
    """Each guard that stands against the whole plan.

    `marked` is whom the bucket belongs to, `unproven` why changes are not to be promoted, `spent`
    what this month has cost so far.
    """
    if unproven:
        yield Guard(UNPROVEN, "; ".join(unproven))
    if marked is not None and marked != owner:
        yield Guard(FOREIGN, f"the bucket gs://{settings.bucket} belongs to {marked}")
    if why := _over_cap(plan, settings) or _over_month(plan, settings, spent or Spent()):
        yield Guard(CAP, why)
    if why := _mass_change(plan, recorded):
        yield Guard(MASS_CHANGE, why)
    if why := _one_dataset(plan):
        yield Guard(SHARED_DATA, why)


def _over_cap(plan: Plan, settings: Settings) -> str | None:
    cap, cost = settings.max_usd, plan.price_usd
    if cap is None or not plan.tunes:
        return None
    if cost is not None and cost <= cap:
        return None
    said = "unknown" if cost is None else f"about ${cost:.2f}"
    return f"the price is {said}, and vertune:maxUsd of this stack is ${cap:g}"


def _over_month(plan: Plan, settings: Settings, spent: Spent) -> str | None:
    cap, cost = settings.monthly_usd, plan.price_usd
    if cap is None or not plan.tunes:
        return None
    if cost is not None and not spent.unknown and spent.usd + cost <= cap:
        return None
    said = "unknown" if cost is None else f"about ${cost:.2f}"
    others = f", and {counted(spent.unknown, 'tuning')} of unknown cost" if spent.unknown else ""
    return (
        f"the price is {said}, this month has cost ${spent.usd:.2f}{others}, and"
        f" vertune:monthlyUsd of this stack is ${cap:g}"
    )


def _mass_change(plan: Plan, recorded: Mapping[str, Recorded]) -> str | None:
    known = sum(1 for record in recorded.values() if record.active)
    touched = sum(change.action in (Action.RETRAIN, Action.FORGET) for change in plan.changes)
    if touched < _FEW or touched <= _MOST_SHARE * known:
        return None
    return f"{touched} of {counted(known, 'served spec')} would be retrained or forgotten at once"


def _one_dataset(plan: Plan) -> str | None:
    """Several specs that are retrained for nothing but the data that they share."""
    retrained = [change for change in plan.changes if change.action is Action.RETRAIN]
    if len(retrained) < 2 or plan.unchanged:
        return None
    shared = {change.desired.places.get("dataset") for change in retrained if change.desired}
    if len(shared) != 1 or not all(map(_only_data, retrained)):
        return None
    return f"all {len(retrained)} specs would be retrained for one change of {shared.pop()}"


def _only_data(change: Change) -> bool:
    if change.desired is None or change.source is None:
        return False
    before, now = change.source.inputs, change.desired.inputs
    return {key for key in now if now[key] != before.get(key)} == {"dataset"}
