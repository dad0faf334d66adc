"""`vertune apply`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.errors import VertuneError
from jobs.runner.reconcile import Reconciliation, reconcile

if TYPE_CHECKING:
    from jobs.runner.apply import Outcome

_ROUNDS = 3  # a job adopted first, then what the spec asks for by now, then nothing


@click.command("apply")
@select_option
@output_option
@click.option("--yes", is_flag=True, help="Do not ask before jobs that cost money.")
@click.option(
    "--retry",
    multiple=True,
    metavar="NAME",
    help="Tune once more what failed or was cancelled; may be given again.",
)
@click.pass_obj
def command(
    place: Place, select: tuple[str, ...], output: str, yes: bool, retry: tuple[str, ...]
) -> None:
    """Tune what the plan says, wait, evaluate, and record the outputs.

    A job that is under way is adopted, never started twice; stop this command whenever you like
    and run it again.

    Example: vertune --stack dev apply --yes
    """
    found = _reconciled(place, select, retry)
    click.echo(report.plan_text(found.plan, place.name, place.settings), err=output != "text")
    _refuse_over_cap(place, found)
    if found.plan and not yes:
        _ask(found)
    failed: dict[str, str] = {}
    tuned: list[str] = []
    changed = False
    for _ in range(_ROUNDS):
        if all(c.name in failed or c in found.plan.blocked for c in found.plan.changes):
            break
        outcome = _carry_out(place, found)
        failed |= outcome.failed
        tuned += outcome.tuned
        changed = changed or bool(outcome.tuned or outcome.changed)
        found = _reconciled(place, select)
    _finish(place, output, changed, tuned, failed, found)


def _reconciled(
    place: Place, select: tuple[str, ...], retry: tuple[str, ...] = ()
) -> Reconciliation:
    return reconcile(place.resolve(select), place.ledger.recorded(), select, retry)


def _refuse_over_cap(place: Place, found: Reconciliation) -> None:
    cap, tunes = place.settings.max_usd, any(c.action.tunes for c in found.plan.changes)
    if cap is None or not tunes:
        return
    cost = found.plan.price_usd
    if cost is None or cost > cap:
        said = "unknown" if cost is None else f"about ${cost:.2f}"
        raise VertuneError(
            f"the price is {said}, and vertune:maxUsd of stack {place.name} is ${cap:g};"
            " apply less with --select, or raise it"
        )


def _ask(found: Reconciliation) -> None:
    """A paid action is confirmed by a person, or by --yes where nobody is there to ask."""
    if not any(change.action.tunes for change in found.plan.changes):
        return
    if not sys.stdin.isatty():
        raise VertuneError("nothing was done: this costs money and nobody can be asked; add --yes")
    if not click.confirm("Submit these jobs?", default=False):
        raise VertuneError("nothing was done")


def _carry_out(place: Place, found: Reconciliation) -> Outcome:
    from jobs.runner.apply import Tools, apply
    from jobs.runner.lease import lease
    from jobs.runner.progress import Watch

    with Watch() as watch:
        tools = Tools(
            stack=place.name,
            bucket=place.bucket,
            ledger=place.ledger,
            vertex=place.vertex,
            watcher=watch,
            at_once=place.settings.max_concurrent_jobs,
            poll_seconds=0.5 if place.settings.emulator else 20.0,
            lease=lease(place.settings.emulator),
        )
        try:
            return apply(tools, found.plan, found.resolved)
        except KeyboardInterrupt:
            raise VertuneError(
                "stopped waiting; jobs that were submitted go on, `vertune apply` adopts them"
            ) from None


def _finish(
    place: Place,
    output: str,
    changed: bool,
    tuned: list[str],
    failed: dict[str, str],
    found: Reconciliation,
) -> None:
    from jobs.runner import stack

    outputs = dict(stack.record(place.stack)) if changed else {}
    if output == "json":
        body = {
            "tuned": tuned,
            "failed": failed,
            "blocked": {change.name: change.reason for change in found.plan.blocked},
            "tuned_models": outputs,
        }
        click.echo(report.dumps(body))
    else:
        click.echo(_text(outputs, failed, output == "markdown"))
    if failed or found.plan.blocked:
        click.get_current_context().exit(1)


def _text(outputs: dict[str, object], failed: dict[str, str], markdown: bool) -> str:
    lines = []
    if outputs:
        lines += [
            "",
            "Stack output tuned_models:",
            report.outputs_table(outputs, markdown=markdown),
        ]
    lines += [f"{name}: {reason}" for name, reason in failed.items()]
    return "\n".join(lines)
