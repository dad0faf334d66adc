"""Report of a check: findings as text, JSON, Markdown or annotations; content, no decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jobs.runner import tables
from jobs.runner.errors import Problem, plain
from jobs.runner.estimate import counted
from jobs.runner.rules import Finding, Rule

if TYPE_CHECKING:
    from jobs.runner.desired import Resolved

_SHOWN = 5  # of a rule and a spec; `--all` shows the rest
_ORDER = ("error", "warning", "advice")
_COMMANDS = {"error": "error", "warning": "warning", "advice": "notice"}


def as_text(
    resolved: Sequence[Resolved], faults: Sequence[Finding] = (), *, whole: bool = False
) -> str:
    """Specs that cannot be read, then each other one with what its data holds and its findings."""
    lines = list(_groups(faults, "", whole))
    for one in resolved:
        lines.append(f"{one.file.name}: {_splits(one)}")
        lines += _groups(one.findings, "  ", whole)
    return "\n".join([*lines, _sum(resolved, faults)])


def _groups(findings: Iterable[Finding], indent: str, whole: bool) -> Iterator[str]:
    """The findings of each rule, then what to do about them."""
    for rule, group in groupby(_sorted(findings), lambda finding: finding.rule):
        yield from (f"{indent}{line}" for line in _group(rule, list(group), whole))


def _group(rule: Rule, group: Sequence[Finding], whole: bool) -> Iterator[str]:
    shown = group if whole else group[:_SHOWN]
    yield from map(str, shown)
    if hidden := sum(map(_weight, group[len(shown) :])):
        yield f"  and {hidden:,} more of {rule.id} (`vertune check --all` shows them)"
    yield f"  {rule.remedy}"


def _weight(finding: Finding) -> int:
    return finding.more or 1


def as_json(resolved: Sequence[Resolved], faults: Sequence[Finding] = ()) -> dict[str, Any]:
    return {
        "specs": [
            {
                "name": one.file.name,
                "path": one.file.path,
                "splits": {name: split.examples for name, split in one.dataset.splits.items()},
                "findings": [_fields(f) for f in _sorted(one.findings, ignored=True)],
            }
            for one in resolved
        ],
        "faults": [_fields(fault) for fault in _sorted(faults)],
    }


def _fields(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule.id,
        "severity": finding.severity,
        **asdict(finding.problem),
        "remedy": finding.rule.remedy,
        "more": finding.more,
        "ignored": finding.ignored,
    }


def as_markdown(resolved: Sequence[Resolved], faults: Sequence[Finding] = ()) -> str:
    rows = [
        (f.severity, f.rule.id, place(f.problem), f.problem.field, f.problem.what)
        for f in everything(resolved, faults)
    ]
    said = f"### vertune check\n\n{_sum(resolved, faults)}\n"
    columns = ("severity", "id", "where", "field", "what")
    return said + ("\n" + tables.markdown(columns, rows) if rows else "")


def as_annotations(resolved: Sequence[Resolved], faults: Sequence[Finding] = ()) -> str:
    """Workflow commands, which GitHub shows on the lines of a pull request.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    lines = map(_annotation, everything(resolved, faults))
    return "\n".join([*lines, plain(_sum(resolved, faults))])


def _annotation(finding: Finding) -> str:
    problem = finding.problem
    found = {"file": problem.path, "line": str(problem.line or 1), "title": finding.rule.id}
    if "://" in problem.path:  # no file of the repository
        found = {"title": f"{finding.rule.id} {problem.path}:{problem.line}"}
    values = ",".join(f"{key}={_property(value)}" for key, value in found.items())
    what = ": ".join(part for part in (problem.field, problem.what) if part)
    return f"::{_COMMANDS[finding.severity]} {values}::{_message(f'{what}. {finding.rule.remedy}')}"


def _message(text: str) -> str:
    return plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def everything(resolved: Sequence[Resolved], faults: Sequence[Finding]) -> Iterator[Finding]:
    """All that counts: first the specs that cannot be read, then each spec's in order."""
    yield from _sorted(faults)
    for one in resolved:
        yield from _sorted(one.findings)


def place(problem: Problem) -> str:
    return f"{problem.path}:{problem.line}" if problem.line else problem.path


def _sum(resolved: Sequence[Resolved], faults: Sequence[Finding]) -> str:
    if not resolved and not faults:
        return "No spec in jobs/ is meant for this stack."
    count: Counter[str] = Counter()
    for finding in (*faults, *(f for one in resolved for f in one.findings)):
        count["ignored" if finding.ignored else finding.severity] += _weight(finding)
    ignored = f", {count['ignored']:,} ignored" if count["ignored"] else ""
    return (
        f"{counted(len(resolved), 'spec')} read: {counted(count['error'], 'error')},"
        f" {counted(count['warning'], 'warning')},"
        f" {counted(count['advice'], 'piece')} of advice{ignored}."
    )


def _sorted(findings: Iterable[Finding], *, ignored: bool = False) -> list[Finding]:
    """By gravity, then by rule and place; the one that stands for many comes last."""
    counting = [f for f in findings if ignored or not f.ignored]
    return sorted(
        counting, key=lambda f: (_ORDER.index(f.severity), f.rule.id, f.more > 0, f.problem)
    )


def _splits(one: Resolved) -> str:
    counts = [f"{split.examples:,} {name}" for name, split in one.dataset.splits.items()]
    return f"{one.file.spec.task}, {', '.join(counts) or 'no examples'}"
