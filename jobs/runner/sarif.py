"""SARIF of a check: what code hosts read to show findings on the lines of a pull request.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from jobs.runner.errors import Problem
from jobs.runner.rules import RULES, Finding, Rule

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {"error": "error", "warning": "warning", "advice": "note"}


def log(findings: Iterable[Finding]) -> dict[str, Any]:
    """A log of one run; what a spec ignores is in it, as suppressed, with its reason."""
    driver = {
        "name": "vertune",
        "version": version("vertune"),
        "rules": [_rule(rule) for rule in RULES.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    what = ": ".join(part for part in (problem.field, problem.what) if part)
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": _INDEX[finding.rule.id],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{what}. {finding.rule.remedy}"},
        "locations": [{"physicalLocation": _location(problem)}],
    }
    if finding.more:
        result["occurrenceCount"] = finding.more
    if finding.ignored:
        result["suppressions"] = [{"kind": "external", "justification": finding.ignored}]
    return result


_INDEX = {id: index for index, id in enumerate(RULES)}


def _location(problem: Problem) -> dict[str, Any]:
    """Paths are relative to the repository; of a fault of the whole file, the first line."""
    return {
        "artifactLocation": {"uri": _uri(problem.path)},
        "region": {"startLine": problem.line or 1},
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/:" if "://" in path else "/")
