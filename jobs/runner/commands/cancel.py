"""`vertune cancel`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError

if TYPE_CHECKING:
    from jobs.runner.cancellation import Cancellation
    from jobs.runner.entry import Entry

_SECONDS = 600.0  # a job that is asked to stop may take minutes


@click.command("cancel")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask; what the job has cost so far is lost.")
@click.option("--no-wait", is_flag=True, help="Return once the service was asked.")
@output_option
@click.pass_obj
def command(place: Place, name: str, yes: bool, no_wait: bool, output: str) -> None:
    """Cancel the tuning job of NAME that is under way, and record how it ended.

    It may succeed before the service stops it; then it is kept, and this exits with 1.

    Example: vertune cancel headlines --yes
    """
    from jobs.runner.cancellation import to_cancel

    found = to_cancel(place.ledger.recorded(), name)
    if found and not yes:
        _ask(name)
    cancellation = _opened(place, 0.0 if no_wait else _SECONDS)
    ended = [cancellation.cancel(one) for one in found]
    _print(name, ended, output)
    if any(one.state == "succeeded" or (one.in_flight and not no_wait) for one in ended):
        click.get_current_context().exit(1)


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise VertuneError("nothing was done: a job that is paid for ends; add --yes")
    if not click.confirm(f"Cancel the tuning job of {name}?", default=False):
        raise VertuneError("nothing was done")


def _opened(place: Place, seconds: float) -> Cancellation:
    from jobs.runner import remote
    from jobs.runner.cancellation import Cancellation
    from jobs.runner.lease import lease

    return Cancellation(
        place.ledger,
        place.vertex,
        lease(place.settings.emulator),
        lambda name, text: click.echo(f"{name}: {text}", err=True),
        poll_seconds=0.1 if place.settings.emulator else 10.0,
        seconds=remote.patient(seconds),
    )


def _print(name: str, ended: list[Entry], output: str) -> None:
    if output == "json":
        rows = [
            {"fingerprint": one.fingerprint, "state": one.state, "job": one.job, "error": one.error}
            for one in ended
        ]
        click.echo(report.dumps({"name": name, "ended": rows}))
        return
    for one in ended:
        click.echo(f"{name}: {_said(one)}")
    if not ended:
        click.echo(f"{name}: cancelled already")


def _said(entry: Entry) -> str:
    if entry.state == "succeeded":
        return "succeeded before it could be cancelled; it is kept, `vertune apply` goes on with it"
    if entry.in_flight:
        return f"{entry.job} is being cancelled; `vertune cancel` again records how it ended"
    again = f"; to tune it once more: `vertune apply --retry {entry.name}`"
    return f"{entry.state}: {entry.error or 'no reason given'}{again}"
