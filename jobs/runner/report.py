"""Report: plans and states as text, JSON or Markdown; content only, no decisions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from jobs.runner import promise, report_price, tables
from jobs.runner.errors import plain
from jobs.runner.estimate import counted
from jobs.runner.plan import Action, Change, Plan

if TYPE_CHECKING:
    from jobs.runner.guards import Guard
    from jobs.runner.spending import Spent
    from jobs.runner.stack import Settings

SIMULATED = "simulated on this machine: a small language model stands in for the base model"


def dumps(value: Any) -> str:
    """JSON that reads as the text it is; what a terminal would act on is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool = False) -> str:
    return tables.markdown(columns, rows) if markdown else tables.text(columns, rows)


# Plans


@dataclass(frozen=True)
class Shown:
    """A plan with what is shown beside it.

    `spent` is what this month has cost so far, `short` why what is in sync is not what was hoped
    for, by name.
    """

    plan: Plan
    stack: str
    settings: Settings
    against: Sequence[Guard] = ()
    spent: Spent | None = None
    short: Mapping[str, str] = field(default_factory=dict)

    @property
    def checksum(self) -> str:
        return promise.promise(self.plan, self.stack, self.settings.project).checksum

    @property
    def month(self) -> str | None:
        if self.spent is None:
            return None
        return f"This month: {report_price.spent_text(self.spent, self.settings)}."


def plan_text(shown: Shown) -> str:
    """Every change with all that is known of it, the sum, and the guards against it."""
    plan, simulated = shown.plan, shown.settings.emulator
    lines = [f"Stack {shown.stack}, project {shown.settings.project}"]
    if simulated:
        lines.append(f"({SIMULATED})")
    for change in plan.changes:
        said = f"{change.action.value} {change.action.word} {change.name}: {change.reason}"
        lines += ["", f"  {plain(said)}"]
        lines += [f"      {plain(line)}" for line in _details(change, simulated)]
    lines += ["", plan_sum(plan, shown.settings)]
    lines += [plain(f"Note: {name} {why}.") for name, why in shown.short.items()]
    if shown.month:
        lines.append(shown.month)
    lines += [*(plain(f"Refused: {guard}.") for guard in shown.against)]
    if plan.now:
        lines.append(f"Checksum: {shown.checksum}")
    return "\n".join(lines)


def plan_sum(plan: Plan, settings: Settings) -> str:
    """One line: how many of each, and what it costs."""
    if not plan and not plan.unchanged:
        return "Nothing to do: no spec in jobs/ is meant for this stack."
    if not plan:
        return f"Nothing to do: {counted(len(plan.unchanged), 'spec')} in sync."
    count = Counter(change.action for change in plan.changes)
    idle = {Action.WAIT: "waiting", Action.BLOCKED: "blocked"}
    parts = [
        f"{count[action]} {idle.get(action, f'to {action.word}')}"
        for action in Action
        if count[action]
    ]
    said = f"Plan: {', '.join(parts)}, {len(plan.unchanged)} unchanged."
    if any(change.action.tunes for change in plan.changes):
        said += f" Price: {report_price.price(plan.price_usd, settings.emulator)}."
    return said


def _details(change: Change, simulated: bool) -> list[str]:
    wanted = change.desired
    if wanted is None or not change.priced:
        return []
    cost = wanted.estimate
    return [
        f"{wanted.inputs['base_model']}, {counted(wanted.examples, 'example')},"
        f" {report_price.epochs(cost)}, {report_price.tokens(cost)}",
        report_price.priced(cost, simulated),
        *report_price.time(cost),
        f"tuned in {wanted.location}, served from {wanted.serving_location}",
        *(f"note: {note}" for note in cost.notes),
    ]


def plan_json(shown: Shown) -> dict[str, Any]:
    return {
        "stack": shown.stack,
        "simulated": shown.settings.emulator,
        "changes": [_change_json(change) for change in shown.plan.changes],
        "unchanged": list(shown.plan.unchanged),
        "shortfalls": dict(shown.short),
        "price_usd": shown.plan.price_usd,
        "month": asdict(shown.spent) if shown.spent else None,
        "monthly_cap_usd": shown.settings.monthly_usd,
        "refused": {guard.name: guard.reason for guard in shown.against},
        "checksum": shown.checksum,
    }


def _change_json(change: Change) -> dict[str, Any]:
    body: dict[str, Any] = {
        "action": change.action.word,
        "name": change.name,
        "reason": change.reason,
        "fingerprint": change.fingerprint,
    }
    if change.action is Action.COPY and change.source:
        body["copies"] = {"stack": change.source.stack, "tuned_model": change.source.tuned_model}
    if change.desired and change.priced:
        wanted = change.desired
        body |= {
            "base_model": wanted.inputs["base_model"],
            "examples": wanted.examples,
            "epochs": wanted.estimate.epochs,
            "billable_tokens": wanted.estimate.billable_tokens,
            "tokens": report_price.tokens_json(wanted.estimate),
            "price_usd": wanted.estimate.price_usd,
            "price": asdict(wanted.estimate.price) if wanted.estimate.price else None,
            "location": wanted.location,
            "serving_location": wanted.serving_location,
            "notes": list(wanted.estimate.notes),
        }
    return body


@dataclass(frozen=True)
class Frame:
    """The parts of a plan in Markdown around its table."""

    head: list[str]
    foot: list[str]


def plan_markdown(shown: Shown) -> str:
    frame = plan_frame(shown)
    columns = ("change", "name", "reason", "details")
    rows = [row_of(change, shown.settings) for change in shown.plan.changes]
    table = [tables.markdown(columns, rows)] if rows else []
    return "\n\n".join([*frame.head, *table, *frame.foot])


def plan_frame(shown: Shown) -> Frame:
    head = [
        f"### vertune plan, stack {tables.escaped(shown.stack)}",
        tables.escaped(plan_sum(shown.plan, shown.settings)),
    ]
    if shown.settings.emulator:
        head.append(f"_{SIMULATED}_")
    foot = [f"**Note**: {tables.escaped(f'{name} {why}.')}" for name, why in shown.short.items()]
    foot += [tables.escaped(shown.month)] if shown.month else []
    foot += [f"**Refused**: {tables.escaped(str(guard))}." for guard in shown.against]
    if shown.plan.now:
        foot.append(f"Checksum: `{shown.checksum}`")
    return Frame(head, foot)


def row_of(change: Change, settings: Settings) -> tuple[str, str, str, str]:
    details = "; ".join(_details(change, settings.emulator))
    return f"{change.action.value} {change.action.word}", change.name, change.reason, details


# Outputs


def score_text(score: Any) -> str:
    """A score and its interval, beside the base model's; `score` is a Score or its fields."""
    if score is None:
        return "not scored"
    found = score if isinstance(score, Mapping) else score.model_dump()
    there = f", measured in stack {found['stack']}" if found.get("stack") else ""
    return (
        f"{found['metric']} {found['tuned']:.3f} (95 % {found['low']:.2f}–{found['high']:.2f},"
        f" n {found['n']}), base model {found['base']:.3f}{there}"
    )


def outputs_table(outputs: Mapping[str, Any], *, markdown: bool = False) -> str:
    """The stack's `tuned_models`, as `pulumi stack output` has them."""
    rows = [(name, _of_output(model)) for name, model in sorted(outputs.items())]
    if not rows:
        return "No tuned model is served."
    if markdown:
        columns = ("name", "score", "tuned model", "endpoint")
        return tables.markdown(columns, [(name, *texts) for name, texts in rows])
    lines = []
    for name, (score, tuned_model, endpoint) in rows:
        lines += [plain(f"{name}: {score}")]
        lines += facts({"tuned model": tuned_model, "endpoint": endpoint})
    return "\n".join(lines)


def _of_output(model: Mapping[str, Any]) -> tuple[str, str, str]:
    simulated = " (simulated)" if model.get("simulated") else ""
    return (
        score_text(model.get("score")),
        f"{model.get('tuned_model') or '-'}{simulated}",
        str(model.get("endpoint") or "-"),
    )


def facts(facts: Mapping[str, str | None]) -> list[str]:
    """Indented lines, the values under each other; without those that are None."""
    return [plain(f"  {name:<12} {value}") for name, value in facts.items() if value]
