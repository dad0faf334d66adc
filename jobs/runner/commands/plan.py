"""`vertune plan`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.runner import gone, guards, history, promise, report, snapshot, spending
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.entry import Recorded
from jobs.runner.errors import VertuneError
from jobs.runner.plan import Action, Plan
from jobs.runner.reconcile import reconcile
from jobs.runner.spending import Spent

if TYPE_CHECKING:
    from jobs.runner.desired import Resolved

_NOT_ASKED = (
    "\nAgainst what was recorded on {:%Y-%m-%d at %H:%M} UTC; nobody was asked what came since,"
    " whose the bucket is, or what an earlier stack has."
)


@click.command("plan")
@select_option
@output_option
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 3 if there is anything to do, else 0."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also save it there, for `apply --plan`.",
)
@click.option(
    "--exact",
    is_flag=True,
    help="Have the service count the tokens of what is to be tuned; the count is kept.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(guards.NAMES),
    help="Plan as if this guard were lifted; may be given again.",
)
@click.option(
    "--retry",
    multiple=True,
    metavar="NAME",
    help="Plan to tune once more what failed, was cancelled or is gone; may be given again.",
)
@click.option(
    "--touched",
    metavar="BASE",
    help="In Markdown: first the specs changed since this branch or commit, the rest folded.",
)
@click.option(
    "--snapshot",
    "file",
    type=click.Path(path_type=Path),
    help="Plan against what `status --snapshot` wrote there; asks nobody, needs no credentials.",
)
@click.pass_obj
def command(
    place: Place,
    select: tuple[str, ...],
    output: str,
    detailed_exitcode: bool,
    out: Path | None,
    exact: bool,
    allow: tuple[str, ...],
    retry: tuple[str, ...],
    touched: str | None,
    file: Path | None,
) -> None:
    """Show what apply would do, why and for how much; change nothing.

    Example: vertune --stack dev plan --select headlines
    """
    _refuse(touched and output != "markdown", "--touched goes with -o markdown")
    asks = exact or retry or out
    _refuse(file and asks, "--snapshot goes with neither --exact, --retry nor --out")
    kept = snapshot.read(file, place.name, place.settings.project) if file else None
    if kept:
        recorded, resolved, now = kept.recorded(), place.resolve(select), datetime.now(UTC)
    else:
        recorded, resolved = place.read(select)
        now = place.ledger.clock.now()
    month = spending.this_month(recorded, now)
    if retry:
        recorded = gone.without(recorded, resolved, retry, place.registry)
    found = reconcile(resolved, recorded, select, retry, allow, place.others(select))
    plan = found.plan
    if exact:
        priced = {one.name for one in plan.changes if one.costs or one.action is Action.BLOCKED}
        resolved = place.counted(resolved, priced)
        plan = reconcile(resolved, recorded, select, retry, allow, place.others(select)).plan
    if not kept:
        plan = place.earlier.noted(plan) if place.earlier else plan
        plan = history.told(plan, resolved, place.ledger, place.open_bucket)
    if out is not None:
        saved = promise.promise(plan, place.name, place.settings.project)
        _save(out, saved.model_dump_json(indent=1) + "\n")
    spent = month if plan.tunes else None
    standing = _against(place, plan, recorded, spent, asked=kept is None)
    against = [guard for guard in standing if guard.name not in allow]
    shown = report.Shown(plan, place.name, place.settings, against, spent, found.short)
    click.echo(
        _of_a_pull_request(place, shown, touched, resolved) if touched else _FORMS[output](shown)
    )
    if kept:
        click.echo(_NOT_ASKED.format(kept.taken), err=output == "json")
    if detailed_exitcode and plan:
        click.get_current_context().exit(3)


_FORMS: Mapping[str, Callable[[report.Shown], str]] = {
    "text": report.plan_text,
    "markdown": report.plan_markdown,
    "json": lambda shown: report.dumps(report.plan_json(shown)),
}


def _refuse(wrong: object, why: str) -> None:
    if wrong:
        raise click.UsageError(why)


def _against(
    place: Place,
    plan: Plan,
    recorded: Mapping[str, Recorded],
    spent: Spent | None,
    *,
    asked: bool,
) -> Iterator[guards.Guard]:
    marked = place.ledger.owner() if plan and asked else None
    unproven = [*place.earlier.unproven(plan)] if asked and place.earlier else []
    return guards.guards(plan, recorded, place.settings, place.owner, marked, unproven, spent)


def _of_a_pull_request(
    place: Place, shown: report.Shown, base: str, resolved: Sequence[Resolved]
) -> str:
    from jobs.runner import report_pull
    from jobs.runner.touched import touched

    found = touched(place.root, base)
    names = found.names(one.file for one in resolved)
    return report_pull.markdown(shown, names, found)


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise VertuneError(f"{path} cannot be written: {error.strerror}") from None
