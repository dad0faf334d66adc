"""`vertune import`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import Problems, VertuneError
from jobs.runner.events import Events

if TYPE_CHECKING:
    from jobs.runner.adoption import Adoption
    from jobs.runner.desired import Resolved
    from jobs.runner.entry import Entry
    from jobs.runner.flight import Flight


@click.command("import")
@click.argument("name")
@click.option("--job", help="A tuning job: its whole resource name, or its id.")
@click.option("--model", help="A tuned model: its whole resource name.")
@click.option(
    "--as-desired",
    is_flag=True,
    help="Take it for what the spec of NAME asks for; then the plan has nothing to tune.",
)
@output_option
@click.pass_obj
def command(
    place: Place, name: str, job: str | None, model: str | None, as_desired: bool, output: str
) -> None:
    """Take in a job or tuned model that exists already, under NAME; nothing is tuned.

    With --as-desired it is scored, and served if it reaches the mark of the spec. Without, its
    fingerprint is of what the service says it was tuned with; `vertune promote` serves it, and a
    spec of that name keeps it by `pin`.

    Example: vertune import headlines --job 4242 --as-desired
    """
    from jobs.runner.spec import NAME, NAME_RULE

    if not NAME.fullmatch(name):
        raise VertuneError(f'"{name}" is no name for a job: {NAME_RULE}')
    opened = _opened(place)
    if job is not None and model is None:
        found = opened.job(job)
    elif model is not None and job is None:
        found = opened.model(model)
    else:
        raise click.UsageError("Give either --job or --model.")
    flight = opened.adopt(name, found, _desired(place, name) if as_desired else None)
    click.echo(f"{name}: {found} is recorded as {flight.entry.fingerprint[:12]}", err=True)
    outputs = _served(place, flight) if flight.entry.state == "succeeded" and as_desired else {}
    _print(flight.entry, outputs, as_desired, output)


def _opened(place: Place) -> Adoption:
    from jobs.runner.adoption import Adoption

    settings = place.settings
    return Adoption(
        place.name,
        settings.project,
        settings.region,
        place.ledger,
        place.vertex,
        place.registry,
    )


def _desired(place: Place, name: str) -> Resolved:
    """The spec of that name. Raises Problems for its faults, VertuneError if there is none."""
    (resolved,) = place.resolve([name]) or (None,)
    if resolved is None:
        raise VertuneError(f"{name} is not meant for stack {place.name} (its `environments`)")
    if resolved.errors:
        raise Problems(finding.problem for finding in resolved.errors)
    return resolved


def _served(place: Place, flight: Flight) -> dict[str, object]:
    """Score it, serve it if it may be, and refresh the alias and the outputs."""
    from jobs.runner import pointer
    from jobs.runner.progress import Watch
    from jobs.runner.serving import Serving

    with Watch() as watch:
        told = watch.said, watch.answered, Events().happened
        serving = Serving(place.ledger, place.vertex, *told, threading.Event())
        serving.serve(flight)
    pointer.follow(place.ledger, place.registry, place.ledger.recorded(), flight.entry.name)
    return place.record()


def _print(entry: Entry, outputs: dict[str, object], as_desired: bool, output: str) -> None:
    if output == "json":
        body = {
            "name": entry.name,
            "fingerprint": entry.fingerprint,
            "state": entry.state,
            "tuned_model": entry.tuned_model,
            "inputs": entry.inputs,
            "tuned_models": outputs,
        }
        click.echo(report.dumps(body))
        return
    click.echo(_said(entry, as_desired))
    if outputs:
        click.echo(report.outputs_table(outputs, markdown=output == "markdown"))


def _said(entry: Entry, as_desired: bool) -> str:
    name, short = entry.name, entry.fingerprint[:12]
    if entry.state != "succeeded":
        return f"{name}: its job is under way; `vertune apply` goes on with it"
    if as_desired:
        return f"{name}: {entry.tuned_model} is served"
    return (
        f"{name}: {entry.tuned_model} can be served by `vertune promote {name} {short}`, and kept"
        f' by `pin: "{short}"` in its spec'
    )
