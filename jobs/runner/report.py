"""Report: plans, findings and states as text, JSON or Markdown; content only, no decisions."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from jobs.runner.check import Finding
from jobs.runner.desired import Resolved
from jobs.runner.estimate import Estimate
from jobs.runner.ledger import Recorded, Score, Summary
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.stack import Settings

SIMULATED = "simulated on this machine: a small language model stands in for the base model"


def dumps(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool = False) -> str:
    """Rows under their columns; nothing is cut, whatever the width of the terminal."""
    drawn = Table(*columns, box=box.MARKDOWN if markdown else box.SIMPLE_HEAD)
    for row in rows:
        drawn.add_row(*(_cell(text) if markdown else text for text in row))
    stream = io.StringIO()
    Console(file=stream, width=10_000, color_system=None, markup=False).print(drawn)
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# Findings


def findings_text(resolved: Iterable[Resolved]) -> str:
    """Each spec with what its data holds, then its findings, errors first."""
    blocks = []
    for one in resolved:
        lines = [f"{one.file.name}: {_splits(one)}"]
        lines += [f"  {finding}" for finding in _sorted(one.findings)]
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def findings_json(resolved: Iterable[Resolved]) -> dict[str, Any]:
    return {
        "specs": [
            {
                "name": one.file.name,
                "path": one.file.path,
                "splits": {name: split.examples for name, split in one.dataset.splits.items()},
                "findings": [
                    {"severity": f.severity, **asdict(f.problem)} for f in _sorted(one.findings)
                ],
            }
            for one in resolved
        ]
    }


def findings_markdown(resolved: Iterable[Resolved]) -> str:
    rows = [
        (f.severity, f"{f.problem.path}:{f.problem.line}", f.problem.field, f.problem.what)
        for one in resolved
        for f in _sorted(one.findings)
    ]
    return (
        table(("severity", "where", "field", "what"), rows, markdown=True)
        if rows
        else "No findings."
    )


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    order = ("error", "warning", "advice")
    return sorted(findings, key=lambda f: (order.index(f.severity), f.problem))


def _splits(one: Resolved) -> str:
    counts = [f"{split.examples:,} {name}" for name, split in one.dataset.splits.items()]
    return f"{one.file.spec.task}, {', '.join(counts) or 'no examples'}"


# Plans


def plan_text(plan: Plan, stack: str, settings: Settings) -> str:
    """Every change with all that is known of it, then the sum."""
    lines = [
        f"Stack {stack}, project {settings.project}"
        + (f" ({SIMULATED})" if settings.emulator else "")
    ]
    for change in plan.changes:
        lines += [
            "",
            f"  {change.action.value} {change.name}: {change.action.word}: {change.reason}",
        ]
        if change.action.tunes or change.action is Action.BLOCKED:
            lines += [f"      {line}" for line in _details(change)]
    lines += ["", plan_sum(plan, settings)]
    return "\n".join(lines)


def plan_sum(plan: Plan, settings: Settings) -> str:
    """One line: how many of each, and what it costs."""
    if not plan:
        return f"Nothing to do: {len(plan.unchanged)} of {len(plan.unchanged)} in sync."
    count = Counter(change.action for change in plan.changes)
    parts = [
        f"{count[action]} to {action.word}"
        for action in Action
        if count[action] and action is not Action.BLOCKED
    ]
    if count[Action.BLOCKED]:
        parts.append(f"{count[Action.BLOCKED]} blocked")
    said = f"Plan: {', '.join(parts)}, {len(plan.unchanged)} unchanged."
    if any(change.action.tunes for change in plan.changes):
        said += f" Price: {price(plan.price_usd, settings.emulator)}."
    return said


def price(usd: float | None, simulated: bool) -> str:
    if usd is None:
        return "unknown" + (" on Google Cloud, nothing here" if simulated else "")
    said = f"about ${usd:.2f}"
    return f"{said} on Google Cloud, nothing here" if simulated else said


def _details(change: Change) -> list[str]:
    wanted = change.desired
    if wanted is None:
        return []
    cost = wanted.estimate
    lines = [
        f"{wanted.inputs['base_model']}, {wanted.examples:,} examples, {_epochs(cost)},"
        f" {_tokens(cost)}, {_cost(cost)}",
        f"tuned in {wanted.location}, served from {wanted.serving_location}",
    ]
    return lines + [f"note: {note}" for note in cost.notes]


def _epochs(cost: Estimate) -> str:
    return f"{cost.epochs} epochs" if cost.epochs else "epochs left to the service"


def _tokens(cost: Estimate) -> str:
    if cost.billable_tokens is None:
        return f"about {cost.tokens:,} tokens an epoch"
    return f"about {cost.billable_tokens:,} tokens"


def _cost(cost: Estimate) -> str:
    return "price unknown" if cost.price_usd is None else f"about ${cost.price_usd:.2f}"


def plan_json(plan: Plan, stack: str, settings: Settings) -> dict[str, Any]:
    return {
        "stack": stack,
        "simulated": settings.emulator,
        "changes": [_change_json(change) for change in plan.changes],
        "unchanged": list(plan.unchanged),
        "price_usd": plan.price_usd,
    }


def _change_json(change: Change) -> dict[str, Any]:
    body: dict[str, Any] = {
        "action": change.action.word,
        "name": change.name,
        "reason": change.reason,
        "fingerprint": change.fingerprint,
    }
    if change.desired and (change.action.tunes or change.action is Action.BLOCKED):
        wanted = change.desired
        body |= {
            "base_model": wanted.inputs["base_model"],
            "examples": wanted.examples,
            "epochs": wanted.estimate.epochs,
            "billable_tokens": wanted.estimate.billable_tokens,
            "price_usd": wanted.estimate.price_usd,
            "location": wanted.location,
            "serving_location": wanted.serving_location,
            "notes": list(wanted.estimate.notes),
        }
    return body


def plan_markdown(plan: Plan, stack: str, settings: Settings) -> str:
    head = f"### vertune plan, stack `{stack}`\n\n{plan_sum(plan, settings)}\n"
    if settings.emulator:
        head += f"\n_{SIMULATED}_\n"
    if not plan:
        return head
    rows = []
    for change in plan.changes:
        wanted = change.desired if change.action.tunes else None
        facts = (
            (
                str(wanted.inputs["base_model"]),
                f"{wanted.examples:,}",
                _epochs(wanted.estimate),
                _tokens(wanted.estimate),
                _cost(wanted.estimate),
                wanted.location,
            )
            if wanted
            else ("",) * 6
        )
        rows.append(
            (f"{change.action.value} {change.action.word}", change.name, change.reason, *facts)
        )
    columns = (
        "change",
        "name",
        "reason",
        "base model",
        "examples",
        "epochs",
        "tokens",
        "price",
        "where",
    )
    return f"{head}\n{table(columns, rows, markdown=True)}"


# States


def score_text(score: Score | None) -> str:
    if score is None:
        return "not scored"
    return (
        f"{score.metric} {score.base:.3f} → {score.tuned:.3f}"
        f" (n {score.n}, 95 % {score.low:.2f}–{score.high:.2f})"
    )


def status_rows(recorded: Mapping[str, Recorded]) -> list[dict[str, Any]]:
    """Each name's served tuning, or its newest one; what `status -o json` prints."""
    rows = []
    for name, record in sorted(recorded.items()):
        shown = [record.served] if record.served else []
        shown += [
            e for e in record.entries.values() if e.in_flight or e.state in ("failed", "cancelled")
        ]
        if not shown and record.entries:
            shown = [max(record.entries.values(), key=lambda e: e.created)]
        rows += [_row(name, entry, entry is record.served) for entry in shown if entry]
    return rows


def _row(name: str, entry: Summary, served: bool) -> dict[str, Any]:
    return {"name": name, "served": served, **entry.model_dump(exclude={"name", "format"})}


def status_table(rows: Iterable[Mapping[str, Any]], *, markdown: bool = False) -> str:
    columns = ("name", "state", "served", "score", "tuned model", "fingerprint", "since")
    return table(
        columns,
        [
            (
                row["name"],
                row["state"] + (f": {row['error']}" if row["error"] else ""),
                "yes" if row["served"] else "no",
                score_text(Score(**row["score"]) if row["score"] else None),
                (row["tuned_model"] or "-") + (" (simulated)" if row["stand_in"] else ""),
                row["fingerprint"][:12],
                (row["finished"] or row["created"])[:19],
            )
            for row in rows
        ],
        markdown=markdown,
    )


def outputs_table(outputs: Mapping[str, Any], *, markdown: bool = False) -> str:
    """The stack's `tuned_models`, as `pulumi stack output` has them."""
    rows = [
        (
            name,
            str(model.get("tuned_model")) + (" (simulated)" if model.get("simulated") else ""),
            str(model.get("endpoint")),
            score_text(Score(**model["score"]) if model.get("score") else None),
        )
        for name, model in sorted(outputs.items())
    ]
    return table(("name", "tuned model", "endpoint", "score"), rows, markdown=markdown)
