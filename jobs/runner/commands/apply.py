"""`vertune apply`."""

from __future__ import annotations

from pathlib import Path

import click

from jobs.runner import guards, promise, report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.commands.applying.rounds import Sum, reconciled, rounds, shown
from jobs.runner.commands.applying.terms import Terms, held
from jobs.runner.errors import VertuneError
from jobs.runner.events import Events
from jobs.runner.outputs import digest_of, exported
from jobs.runner.reconcile import Reconciliation

_BEHIND = "it is served all the same; the next apply moves its alias in the registry"


@click.command("apply")
@select_option
@output_option
@click.option("--yes", is_flag=True, help="Do not ask before jobs that cost money.")
@click.option(
    "--no-wait", is_flag=True, help="Submit what there is room for and return; run it again later."
)
@click.option(
    "--plan",
    "reviewed",
    type=click.Path(path_type=Path),
    help="Do what `plan --out` wrote there, or the rest of it, or refuse.",
)
@click.option("--checksum", help="Do just the plan of this checksum, or the rest of it, or refuse.")
@click.option(
    "--continue",
    "go_on",
    is_flag=True,
    help="Finish what was begun, and do the rest of the plan that was applied by --plan or"
    " --checksum last; leave what was merged since.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(guards.NAMES),
    help="Lift this guard; may be given again.",
)
@click.option(
    "--events",
    "log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append what happens to this file, as JSON lines; docs/events.md has the format.",
)
@click.option("--no-record", is_flag=True, help="Leave the stack's outputs to `vertune record`.")
@click.option(
    "--retry",
    multiple=True,
    metavar="NAME",
    help="Tune once more what failed, was cancelled or is gone; may be given again.",
)
@click.pass_obj
def command(
    place: Place,
    select: tuple[str, ...],
    output: str,
    yes: bool,
    no_wait: bool,
    reviewed: Path | None,
    checksum: str | None,
    go_on: bool,
    allow: tuple[str, ...],
    log: Path | None,
    no_record: bool,
    retry: tuple[str, ...],
) -> None:
    """Tune what the plan says, wait, evaluate, and record the outputs.

    A job that is under way is adopted, never started twice; stop this command whenever you like
    and run it again.

    Example: vertune --stack dev apply --plan plan.json --yes
    """
    if go_on and (reviewed or checksum or retry):
        raise click.UsageError("--continue goes with neither --plan, --checksum nor --retry")
    events = Events(place.name, log)
    waits, records = not no_wait, not no_record
    terms = Terms(select, yes, waits, allow, reviewed, checksum, records, go_on, events)
    with events:
        _apply(place, terms, retry, output)


def _apply(place: Place, terms: Terms, retry: tuple[str, ...], output: str) -> None:
    found = reconciled(place, terms, retry)
    promised = promise.promise(found.plan, place.name, place.settings.project)
    click.echo(shown(place, found), err=output != "text")
    promised = held(place, terms, found, promised)
    result = rounds(place, terms, found, promised)
    after = reconciled(place, terms)
    _move_aliases(place, found, after)
    _finish(place, output, result, after, terms)


def _move_aliases(place: Place, before: Reconciliation, after: Reconciliation) -> None:
    """To what is served now; it is served all the same if that fails, and the next apply does."""
    from jobs.runner import pointer

    for name in pointer.left_behind(before.recorded, after.recorded):
        try:
            pointer.follow(place.ledger, place.registry, after.recorded, name)
        except VertuneError as error:
            click.echo(f"{name}: {error}\n{name}: {_BEHIND}", err=True)


def _finish(place: Place, output: str, result: Sum, found: Reconciliation, terms: Terms) -> None:
    outputs: dict[str, object] = {}
    if terms.record and _unrecorded(place, result, found):
        outputs = place.record()
        terms.events.happened("recorded", counts={"tuned_models": len(outputs)})
    terms.events.happened("ended", counts=result.counts)
    if output == "json":
        body = {
            "tuned": result.tuned,
            "failed": result.failed,
            "running": result.running,
            "queued": result.queued,
            "blocked": {change.name: change.reason for change in found.plan.blocked},
            "tuned_models": outputs,
        }
        click.echo(report.dumps(body))
    else:
        click.echo(_text(outputs, result, output == "markdown"))
    if result.failed or (found.plan.blocked and not (result.running or result.queued)):
        click.get_current_context().exit(1)


def _unrecorded(place: Place, result: Sum, found: Reconciliation) -> bool:
    """Whether the outputs lag behind the ledger, by this apply or by one that died before."""
    if result.changed:
        return True
    served = exported(found.recorded)
    noted = place.ledger.noted()
    return noted != digest_of(served) and (bool(served) or noted is not None)


def _text(outputs: dict[str, object], result: Sum, markdown: bool) -> str:
    lines = []
    if outputs:
        lines += [
            "",
            "Stack output tuned_models:",
            report.outputs_table(outputs, markdown=markdown),
        ]
    lines += [f"{name}: {reason}" for name, reason in result.failed.items()]
    lines += [f"{name}: goes on; `vertune apply` adopts it" for name in result.running]
    lines += [f"{name}: waits for room; `vertune apply` submits it" for name in result.queued]
    return "\n".join(lines)
