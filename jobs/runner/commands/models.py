"""`vertune models`."""

from datetime import UTC, date, datetime

import click

from jobs.runner import catalog, report
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.commands import output_option

_COLUMNS = ("base model", "tuned in", "served from", "adapter sizes", "per 1M tokens", "retires")


@click.command("models")
@output_option
def command(output: str) -> None:
    """List the base models that can be tuned: where, with what, for how much, until when.

    Example: vertune models -o json
    """
    known = catalog.load()
    if output == "json":
        click.echo(report.dumps(known.model_dump(mode="json")))
        return
    today = datetime.now(UTC).date()
    rows = [_row(name, facts, today) for name, facts in known.base_models.items()]
    click.echo(report.table(_COLUMNS, rows, markdown=output == "markdown"))
    click.echo(
        f"\nRead on {known.read}; jobs/runner/base_models.yaml has the source of every fact, and"
        " says which prices are second-hand."
    )


def _row(name: str, facts: BaseModelFacts, today: date) -> tuple[str, ...]:
    return (
        name,
        ", ".join(facts.regions),
        ", ".join(sorted(set(facts.serving.values()))),
        ", ".join(map(str, facts.adapter_sizes)),
        "unknown" if facts.price_usd is None else f"${facts.price_usd:.2f}",
        f"{facts.retires}" + (" (retired)" if facts.retired(today) else ""),
    )
