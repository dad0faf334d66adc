"""`vertune schema`."""

import click

from jobs.runner import report, schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a spec; jobs/schema.json is a copy of it.

    Example: vertune schema > jobs/schema.json
    """
    click.echo(report.dumps(schema.schema()))
