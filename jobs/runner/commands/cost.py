"""`vertune cost`."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from jobs.runner import report
from jobs.runner.commands import Place

if TYPE_CHECKING:
    from jobs.runner.entry import Summary
    from jobs.runner.spending import Spent

_COLUMNS = ("billed", "under way", "unknown")


@click.command("cost")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown", "csv"]),
    default="text",
    show_default=True,
    help="How the result is printed.",
)
@click.option("--by", default="team", show_default=True, metavar="LABEL", help="Sum by this label.")
@click.option("--month", metavar="YYYY-MM", help="By default this month.")
@click.pass_obj
def command(place: Place, output: str, by: str, month: str | None) -> None:
    """Show what this stack's tunings cost in a month, by label, against its caps.

    Billed is what the service's statistics say at the price of the day each was submitted.

    Example: vertune --stack dev cost -o csv
    """
    from jobs.runner import spending

    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise click.BadParameter("is no month such as 2026-11", param_hint="--month")
    recorded = place.ledger.recorded()
    month = month or spending.month_of(place.ledger.clock.now())
    entries = spending.in_month(recorded, month)
    values = spending.by_label(entries, _labels(place, entries), by)
    if output == "csv":
        click.echo(_csv(place.name, month, by, values), nl=False)
    elif output == "json":
        click.echo(report.dumps(_json(place, month, by, entries, values)))
    else:
        _print(place, month, by, entries, values, markdown=output == "markdown")


def _labels(place: Place, entries: list[Summary]) -> dict[str, dict[str, str]]:
    """They stand in whole entries alone: one call for each tuning of the month."""
    found = ((one, place.ledger.read(one.name, one.fingerprint)) for one in entries)
    return {one.fingerprint: read[0].labels for one, read in found if read}


def _print(
    place: Place,
    month: str,
    by: str,
    entries: list[Summary],
    values: Mapping[str, Spent],
    *,
    markdown: bool,
) -> None:
    from jobs.runner import spending
    from jobs.runner.report_price import spent_text

    if values:
        rows = [(value or "-", *_cells(spent)) for value, spent in values.items()]
        click.echo(report.table((by, *_COLUMNS), rows, markdown=markdown) + "\n")
    click.echo(f"{month}: {spent_text(spending.total(entries), place.settings)}")


def _cells(spent: Spent) -> tuple[str, str, str]:
    return f"${spent.billed:,.2f}", f"${spent.under_way:,.2f}", str(spent.unknown or "-")


def _csv(stack: str, month: str, by: str, values: Mapping[str, Spent]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("stack", "month", by, "billed_usd", "under_way_usd", "unknown_tunings"))
    for value, spent in values.items():
        figures = (f"{spent.billed:.6f}", f"{spent.under_way:.6f}", spent.unknown)
        rows.writerow((stack, month, value, *figures))
    return text.getvalue()


def _json(
    place: Place, month: str, by: str, entries: list[Summary], values: Mapping[str, Spent]
) -> dict[str, Any]:
    from jobs.runner import billing, spending

    settings, total = place.settings, spending.total(entries)
    return {
        "stack": place.name,
        "simulated": settings.emulator,
        "month": month,
        **_figures(total),
        "monthly_cap_usd": settings.monthly_usd,
        "apply_cap_usd": settings.max_usd,
        "label": by,
        "by_label": {value: _figures(spent) for value, spent in values.items()},
        "tunings": [
            {
                "name": one.name,
                "fingerprint": one.fingerprint,
                "state": one.state,
                "ended": one.finished,
                "estimated_usd": billing.estimated_usd(one),
                "billed_usd": billing.billed_usd(one),
            }
            for one in entries
        ],
    }


def _figures(spent: Spent) -> dict[str, Any]:
    return {
        "billed_usd": spent.billed,
        "under_way_usd": spent.under_way,
        "unknown_tunings": spent.unknown,
    }
