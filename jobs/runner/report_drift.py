"""Report of drift: each difference with what it means and what to do, as text, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from jobs.runner import report, tables
from jobs.runner.drift import Difference
from jobs.runner.errors import plain
from jobs.runner.estimate import counted

_COLUMNS = ("name", "what", "resource", "found", "means", "next")


def text(found: Sequence[Difference], recorded: int) -> str:
    return "\n".join([*(line for one in found for line in _block(one)), _sum(found, recorded)])


def _block(one: Difference) -> list[str]:
    facts = {"resource": one.resource, "found": one.what, "means": one.means, "next": one.advice}
    return [plain(f"{one.name or '(no name)'}: {one.kind.value}"), *report.facts(facts)]


def _sum(found: Sequence[Difference], recorded: int) -> str:
    if not found:
        return f"No drift: {counted(recorded, 'tuning')} recorded, everything as it is recorded."
    return f"Drift: {counted(len(found), 'difference')} from what is recorded."


def json(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """Keys: kind, name, resource, what, means, advice."""
    return [asdict(one) | {"kind": one.kind.value} for one in found]


def markdown(found: Sequence[Difference], recorded: int) -> str:
    said = f"### vertune drift\n\n{tables.escaped(_sum(found, recorded))}"
    if not found:
        return said
    rows = [(d.name, d.kind.value, d.resource, d.what, d.means, d.advice) for d in found]
    return f"{said}\n\n{tables.markdown(_COLUMNS, rows)}"
