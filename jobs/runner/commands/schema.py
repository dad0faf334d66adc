"""`vertune schema`."""

import click

from jobs.runner import report, schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a spec; jobs/schema.json is a copy of it."""
    click.echo(report.dumps(schema.schema()))
