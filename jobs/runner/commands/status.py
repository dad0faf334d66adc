"""`vertune status`."""

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.document import did_you_mean
from jobs.runner.errors import VertuneError


@click.command("status")
@select_option
@output_option
@click.pass_obj
def command(place: Place, select: tuple[str, ...], output: str) -> None:
    """Show what is recorded: what is served, under way or failed, and its scores.

    Example: vertune status -o json
    """
    recorded = place.ledger.recorded()
    for name in select:
        if name not in recorded:
            raise VertuneError(f"nothing is recorded as {name}{did_you_mean(name, recorded)}")
    rows = report.status_rows({n: r for n, r in recorded.items() if not select or n in select})
    if output == "json":
        click.echo(report.dumps(rows))
    elif not rows:
        click.echo("Nothing is recorded yet; `vertune plan` says what would be tuned.")
    else:
        click.echo(report.status_table(rows, markdown=output == "markdown"))
