"""`vertune models`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import click

from jobs.runner import catalog, offered, report
from jobs.runner.catalog import BaseModelFacts, Catalog
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError, plain
from jobs.runner.price import Price, price_of

_COLUMNS = ("base model", "tuned in", "served from", "adapter sizes", "per 1M tokens", "retires")


@click.command("models")
@output_option
@click.option("--live", is_flag=True, help="Compare with what the API lists; 3 if that differs.")
@click.pass_obj
def command(place: Place, output: str, live: bool) -> None:
    """List the base models that can be tuned: where, with what, for how much, until when.

    Example: vertune --stack dev models --live
    """
    known, own, today = catalog.load(), _own_prices(place), datetime.now(UTC).date()
    listed = place.vertex.base_models() if live else None
    if output == "json":
        body = known.model_dump(mode="json") | {"prices": own}
        click.echo(report.dumps(body | ({} if listed is None else _live(known, listed, today))))
    else:
        _print(known, own, today, markdown=output == "markdown")
        if listed is not None:
            _print_live(known, listed, today)
    if listed is not None and any(offered.wrong(known, listed, today)):
        click.get_current_context().exit(3)


def _live(known: Catalog, listed: set[str], today: date) -> dict[str, object]:
    return {
        "live": {
            "listed": sorted(listed),
            "wrong": [*offered.wrong(known, listed, today)],
            "unknown": offered.unknown(known, listed),
        }
    }


def _print_live(known: Catalog, listed: set[str], today: date) -> None:
    wrong = [*offered.wrong(known, listed, today)]
    click.echo("\n" + "\n".join(map(plain, wrong or ["The API lists what the catalog says."])))
    if new := offered.unknown(known, listed):
        click.echo(
            f"Listed besides, and not in the catalog: {plain(', '.join(new))}. Whether they can be"
            " tuned the API does not say."
        )


def _print(known: Catalog, own: Mapping[str, float], today: date, *, markdown: bool) -> None:
    prices = {name: price_of(name, known, own) for name in known.base_models}
    rows = [_row(name, facts, prices[name], today) for name, facts in known.base_models.items()]
    click.echo(report.table(_COLUMNS, rows, markdown=markdown))
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
