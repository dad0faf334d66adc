"""`vertune compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import Problems, VertuneError
from jobs.runner.estimate import counted

if TYPE_CHECKING:
    from jobs.runner.comparison import Pair
    from jobs.runner.entry import Recorded, Summary


@click.command("compare")
@click.argument("first")
@click.argument("second")
@output_option
@click.pass_obj
def command(place: Place, first: str, second: str, output: str) -> None:
    """Show what two stacks serve: which spec is where, by which tuning, with which score.

    Exit code 3 if they differ, else 0.

    Example: vertune compare dev prod
    """
    from jobs.runner.comparison import pairs

    found = list(pairs(*(_recorded(Place(name, place.root)) for name in (first, second))))
    if output == "json":
        click.echo(report.dumps([_json(pair, first, second) for pair in found]))
    elif not found:
        click.echo(f"Neither {first} nor {second} serves anything.")
    else:
        columns = ("name", first, second, "")
        rows = [(p.name, _said(p.first), _said(p.second), _verdict(p)) for p in found]
        click.echo(report.table(columns, rows, markdown=output == "markdown"))
        click.echo(f"\n{_sum(found)}")
    if not all(pair.same for pair in found):
        click.get_current_context().exit(3)


def _recorded(place: Place) -> Mapping[str, Recorded]:
    """Of two stacks an error must say which."""
    try:
        return place.ledger.recorded()
    except Problems:
        raise  # of a file, which it names
    except VertuneError as error:
        error.args = (f"stack {place.name}: {error}",)
        raise


def _said(served: Summary | None) -> str:
    if served is None:
        return "-"
    model = f"\n{served.tuned_model}" if served.tuned_model else ""
    return f"{served.fingerprint[:12]}, {report.score_text(served.score)}{model}"


def _verdict(pair: Pair) -> str:
    if pair.same:
        return "same"
    return "differs" if pair.first and pair.second else "in one"


def _sum(found: Sequence[Pair]) -> str:
    same = sum(pair.same for pair in found)
    return f"{counted(len(found), 'name')}, {same} the same in both."


def _json(pair: Pair, first: str, second: str) -> dict[str, Any]:
    sides = {first: pair.first, second: pair.second}
    return {
        "name": pair.name,
        "same": pair.same,
        "stacks": {name: one and _of(one) for name, one in sides.items()},
    }


def _of(served: Summary) -> dict[str, Any]:
    return {
        "fingerprint": served.fingerprint,
        "tuned_model": served.tuned_model,
        "score": served.score and served.score.model_dump(),
        "finished": served.finished,
    }
