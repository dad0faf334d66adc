"""`vertune promote`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import F, Place, output_option

if TYPE_CHECKING:
    from jobs.runner.pointer import Move


def move_options(command: F) -> F:
    """What both ways of moving the pointer are told."""
    below = click.option(
        "--below-mark", is_flag=True, help="Serve it whatever its score and the spec say."
    )
    named = click.argument("fingerprint", required=False)(below(output_option(command)))
    return click.argument("name")(named)


@click.command("promote")
@move_options
@click.pass_obj
def command(
    place: Place, name: str, fingerprint: str | None, below_mark: bool, output: str
) -> None:
    """Serve a tuning of NAME that is recorded: FINGERPRINT, or the newest; no job is needed.

    Ends a rollback. FINGERPRINT is its beginning, 6 or more hex digits.

    Example: vertune promote headlines 5f1e2a
    """
    from jobs.runner import pointer

    recorded = place.ledger.recorded()
    mark = None if below_mark else mark_of(place, name)
    move = pointer.promotion(recorded, name, fingerprint, mark)
    pointer.carry_out(move, recorded, place.ledger, place.registry)
    finish(place, move, output)


def mark_of(place: Place, name: str) -> float | None:
    """The score that the spec asks for, None without a spec; other specs may be faulty."""
    from pathlib import PurePath

    from jobs.runner import spec
    from jobs.runner.errors import Problems

    found, faults = spec.read(place.root, place.name)
    if mine := [fault for fault in faults if PurePath(fault.path).stem == name]:
        raise Problems(mine)
    return next((file.spec.evaluation.at_least for file in found if file.name == name), None)


def finish(place: Place, move: Move, output: str) -> None:
    """Say what is served now, and refresh the stack's outputs."""
    for line in _said(move):
        click.echo(line, err=True)
    outputs = place.record()
    if output == "json":
        body = {
            "name": move.entry.name,
            "served": move.entry.fingerprint,
            "before": move.before,
            "instead_of": move.instead_of,
            "tuned_model": move.entry.tuned_model,
            "tuned_models": outputs,
        }
        click.echo(report.dumps(body))
    else:
        click.echo(report.outputs_table(outputs, markdown=output == "markdown"))


def _said(move: Move) -> list[str]:
    name, served = move.entry.name, move.entry.fingerprint[:12]
    said = [f"{name}: {served} is served{' already' if move.stands else ''}"]
    if move.instead_of:
        said.append(
            f"{name}: {move.instead_of[:12]} is taken back and not served by itself again;"
            f" `vertune promote {name} {move.instead_of[:12]}` does"
        )
    elif not move.stands:
        said.append(f"{name}: `vertune plan` says whether its spec asks for another one")
    return said
