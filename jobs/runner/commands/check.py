"""`vertune check`."""

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option


@click.command("check")
@select_option
@output_option
@click.pass_obj
def command(place: Place, select: tuple[str, ...], output: str) -> None:
    """Check specs and their data; change nothing, ask nobody.

    Everything that is wrong is said at once. Exit code 1 if there are errors.

    Example: vertune check --select headlines
    """
    resolved = place.resolve(select)
    if output == "json":
        click.echo(report.dumps(report.findings_json(resolved)))
    elif output == "markdown":
        click.echo(report.findings_markdown(resolved))
    else:
        click.echo(report.findings_text(resolved) or "No spec is meant for this stack.")
    if any(one.errors for one in resolved):
        click.get_current_context().exit(1)
