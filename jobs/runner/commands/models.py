"""`vertune models`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import click

from jobs.runner import catalog, report
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError
from jobs.runner.price import Price, price_of

_COLUMNS = ("base model", "tuned in", "served from", "adapter sizes", "per 1M tokens", "retires")


@click.command("models")
@output_option
@click.pass_obj
def command(place: Place, output: str) -> None:
    """List the base models that can be tuned: where, with what, for how much, until when.

    Example: vertune models -o json
    """
    known, own = catalog.load(), _own_prices(place)
    if output == "json":
        click.echo(report.dumps(known.model_dump(mode="json") | {"prices": own}))
        return
    today = datetime.now(UTC).date()
    prices = {name: price_of(name, known, own) for name in known.base_models}
    rows = [_row(name, facts, prices[name], today) for name, facts in known.base_models.items()]
    click.echo(report.table(_COLUMNS, rows, markdown=output == "markdown"))
    for name, price in prices.items():
        if price and (old := price.aged(today)):
            click.echo(f"\n{name}: {old}")
    click.echo(
        f"\nRead on {known.read}; jobs/runner/base_models.yaml has the source of every fact."
    )


def _own_prices(place: Place) -> Mapping[str, float]:
    try:
        _ = place.root
    except VertuneError:  # outside of a repository the catalog is all there is
        return {}
    return place.settings.prices


def _row(name: str, facts: BaseModelFacts, price: Price | None, today: date) -> tuple[str, ...]:
    return (
        name,
        ", ".join(facts.regions),
        ", ".join(sorted(set(facts.serving.values()))),
        ", ".join(map(str, facts.adapter_sizes)),
        _priced(price, today),
        f"{facts.retires}" + (" (retired)" if facts.retired(today) else ""),
    )


def _priced(price: Price | None, today: date) -> str:
    if price is None:
        return "unknown"
    said = f"${price.usd:.2f}" + (f", {price.read}" if price.read else f", {price.source}")
    said += ", second-hand" if price.second_hand else ""
    return said + (", old" if price.stale(today) else "")
