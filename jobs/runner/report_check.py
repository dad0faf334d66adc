"""Report of a check: findings as text, JSON or Markdown; content only, no decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from jobs.runner import tables
from jobs.runner.errors import Problem
from jobs.runner.estimate import counted

if TYPE_CHECKING:
    from jobs.runner.check import Finding
    from jobs.runner.desired import Resolved


def as_text(resolved: Sequence[Resolved], faults: Sequence[Problem] = ()) -> str:
    """Specs that cannot be read, then each other one with what its data holds and its findings."""
    lines = [f"error: {fault}" for fault in faults]
    for one in resolved:
        lines.append(f"{one.file.name}: {_splits(one)}")
        lines += [f"  {finding}" for finding in _sorted(one.findings)]
    return "\n".join([*lines, _sum_of_findings(resolved, faults)])


def as_json(resolved: Sequence[Resolved], faults: Sequence[Problem] = ()) -> dict[str, Any]:
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
        ],
        "faults": [asdict(fault) for fault in faults],
    }


def as_markdown(resolved: Sequence[Resolved], faults: Sequence[Problem] = ()) -> str:
    rows = [("error", *_where(fault)) for fault in faults]
    rows += [(f.severity, *_where(f.problem)) for one in resolved for f in _sorted(one.findings)]
    said = f"### vertune check\n\n{_sum_of_findings(resolved, faults)}\n"
    return said + (
        "\n" + tables.markdown(("severity", "where", "field", "what"), rows) if rows else ""
    )


def _where(problem: Problem) -> tuple[str, str, str]:
    place = f"{problem.path}:{problem.line}" if problem.line else problem.path
    return place, problem.field, problem.what


def _sum_of_findings(resolved: Sequence[Resolved], faults: Sequence[Problem]) -> str:
    if not resolved and not faults:
        return "No spec in jobs/ is meant for this stack."
    count = Counter(finding.severity for one in resolved for finding in one.findings)
    errors, warnings = count["error"] + len(faults), count["warning"]
    return (
        f"{counted(len(resolved), 'spec')} read: {counted(errors, 'error')},"
        f" {counted(warnings, 'warning')}, {counted(count['advice'], 'piece')} of advice."
    )


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    order = ("error", "warning", "advice")
    return sorted(findings, key=lambda f: (order.index(f.severity), f.problem))


def _splits(one: Resolved) -> str:
    counts = [f"{split.examples:,} {name}" for name, split in one.dataset.splits.items()]
    return f"{one.file.spec.task}, {', '.join(counts) or 'no examples'}"
