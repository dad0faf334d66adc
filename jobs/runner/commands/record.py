"""`vertune record`."""

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option


@click.command("record")
@output_option
@click.pass_obj
def command(place: Place, output: str) -> None:
    """Refresh the stack's outputs from the ledger; no other resource is touched.

    `apply` does this at its end. Example: vertune --stack dev record
    """
    outputs = place.record()
    if output == "json":
        click.echo(report.dumps(outputs))
    else:
        click.echo(report.outputs_table(outputs, markdown=output == "markdown"))
