"""`vertune check`."""

from datetime import UTC, datetime

import click

from jobs.runner import desired, report, report_check, spec
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
    settings, today = place.settings, datetime.now(UTC).date()
    files, faults = spec.read(place.root, place.name, select)
    resolved = [
        desired.resolve(file, place.root, settings, place.open_bucket, today) for file in files
    ]
    if output == "json":
        click.echo(report.dumps(report_check.as_json(resolved, faults)))
    elif output == "markdown":
        click.echo(report_check.as_markdown(resolved, faults))
    else:
        click.echo(report_check.as_text(resolved, faults))
    if faults or any(one.errors for one in resolved):
        click.get_current_context().exit(1)
