"""`vertune check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from jobs.runner import rules
from jobs.runner.commands import Place, select_option
from jobs.runner.errors import Problem
from jobs.runner.rules import RULES, Finding

if TYPE_CHECKING:
    from jobs.runner.desired import Resolved

_OUTPUTS = ("text", "json", "markdown", "sarif", "github")


@click.command("check")
@select_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(_OUTPUTS),
    default="text",
    show_default=True,
    help="How the result is printed; github: annotations of a workflow.",
)
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--all", "whole", is_flag=True, help="Show every finding, not the first of a kind.")
@click.option(
    "--explain",
    is_flag=False,
    flag_value="",
    metavar="[ID]",
    help="Explain a finding, or without an ID all of them; look at nothing.",
)
@click.pass_obj
def command(
    place: Place,
    select: tuple[str, ...],
    output: str,
    strict: bool,
    whole: bool,
    explain: str | None,
) -> None:
    """Check specs and their data; change nothing.

    Asks nobody, but for data in buckets and files that examples name.

    Everything that is wrong is said at once. Exit code 1 if there are errors.

    Example: vertune check --select headlines
    """
    if explain is not None:
        click.echo(_explained(explain))
        return
    from jobs.runner import spec

    files, problems = spec.read(place.root, place.name, select)
    faults = [*map(_fault, problems)]
    resolved = place.resolved(files, examine=True)
    if strict:
        resolved = [replace(one, findings=tuple(map(_strict, one.findings))) for one in resolved]
    click.echo(_printed(output, resolved, faults, whole))
    if faults or any(one.errors for one in resolved):
        click.get_current_context().exit(1)


def _fault(problem: Problem) -> Finding:
    rule = rules.SPEC if problem.field else rules.NO_SPEC
    if problem.field and problem.path == "jobs":
        rule = rules.UNKNOWN_SPEC
    return Finding(rule, problem, rule.severity)


def _strict(finding: Finding) -> Finding:
    counts = finding.severity == "warning" and not finding.ignored
    return replace(finding, severity="error") if counts else finding


def _printed(
    output: str, resolved: Sequence[Resolved], faults: Sequence[Finding], whole: bool
) -> str:
    from jobs.runner import report, report_check

    match output:
        case "json":
            return report.dumps(report_check.as_json(resolved, faults))
        case "sarif":
            from jobs.runner import sarif

            found = (f for part in (faults, *(one.findings for one in resolved)) for f in part)
            return report.dumps(sarif.log(found))
        case "markdown":
            return report_check.as_markdown(resolved, faults)
        case "github":
            return report_check.as_annotations(resolved, faults)
    return report_check.as_text(resolved, faults, whole=whole)


def _explained(id: str) -> str:
    from jobs.runner import document, findings_page

    if not id:
        return findings_page.page().rstrip("\n")
    if rule := RULES.get(id.upper()):
        return findings_page.entry(rule)
    near = document.did_you_mean(id, RULES, "; `--explain` alone lists them all")
    raise click.BadParameter(f'"{id}" is no finding{near}', param_hint="--explain")
