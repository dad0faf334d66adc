"""`vertune models`."""

from datetime import UTC, datetime

import click

from jobs.runner import catalog, report
from jobs.runner.commands import output_option


@click.command("models")
@output_option
def command(output: str) -> None:
    """List the base models that can be tuned: where, with what, for how much, until when."""
    known = catalog.load()
    if output == "json":
        click.echo(report.dumps(known.model_dump(mode="json")))
        return
    today = datetime.now(UTC).date()
    rows = [
        (
            name,
            ", ".join(facts.regions),
            ", ".join(sorted(set(facts.serving.values()))),
            ", ".join(map(str, facts.adapter_sizes)),
            "unknown" if facts.price_usd is None else f"${facts.price_usd:.2f}",
            f"{facts.retires}" + (" (retired)" if facts.retired(today) else ""),
        )
        for name, facts in known.base_models.items()
    ]
    columns = ("base model", "tuned in", "served from", "adapter sizes", "1M tokens", "retires")
    click.echo(report.table(columns, rows, markdown=output == "markdown"))
    click.echo(f"Facts as read by {known.read}; their sources are in jobs/runner/base_models.yaml.")
