"""`vertune prune`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError

if TYPE_CHECKING:
    from jobs.runner.prune import Found, Leftover, Prune, Unused

_DAY = 24 * 60 * 60.0
_NAMED = 10  # tunings that one reason keeps
_COLUMNS = ("what", "age", "size", "in the service", "why")


@click.command("prune")
@click.option("--yes", is_flag=True, help="Delete it; without this nothing is touched.")
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="N",
    help="Keep the newest N tuned models of each name, beside the served one.",
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Keep what is younger.",
)
@output_option
@click.pass_obj
def command(place: Place, yes: bool, keep: int, older_than: float, output: str) -> None:
    """Show what nobody needs any more; delete it with --yes.

    That is what no spec of this stack asks for or pins, what is not served and not in flight:
    tuned models, endpoints, datasets, and the ledger's entries of them.

    Example: vertune prune --older-than 30
    """
    from jobs.runner import prune
    from jobs.runner.leftovers import Keep
    from jobs.runner.reconcile import reconcile

    _hold(place)
    recorded = place.ledger.recorded()
    resolved = reconcile(place.resolve(), recorded).resolved.values()
    opened = _opened(place)
    desired = [one.desired for one in resolved if one.desired]
    found = prune.find(opened, recorded, desired, Keep(keep, older_than))
    failed = prune.carry_out(opened, found) if yes else {}
    _print(found, yes, failed, output)
    if failed:
        click.get_current_context().exit(1)


def _hold(place: Place) -> None:
    """Raises VertuneError for another's bucket."""
    owner = place.ledger.owner()
    if owner is not None and owner != place.owner:
        raise VertuneError(
            f"nothing was done: the bucket belongs to {owner}, and this is {place.owner}; its specs"
            " are not here, so nobody can say what they need"
        )


def _opened(place: Place) -> Prune:
    from jobs.runner.prune import Prune

    settled = 0.0 if place.settings.emulator else _DAY
    return Prune(place.name, place.bucket, place.ledger, place.registry, settled)


def _print(found: Found, yes: bool, failed: dict[str, str], output: str) -> None:
    rows = [*map(_leftover, found.leftovers), *map(_unused, found.unused)]
    if output == "json":
        kept = [{"name": name, "fingerprint": key, "by": why} for (name, key), why in _kept(found)]
        body = {"deleted": yes, "found": rows, "failed": failed, "kept": kept}
        click.echo(report.dumps(body))
        return
    if rows:
        cells = [_cells(row) for row in rows]
        click.echo(report.table(_COLUMNS, cells, markdown=output == "markdown"))
    for title, why in failed.items():
        click.echo(f"{title}: {why}", err=True)
    for line in _keeps(found):
        click.echo(line)
    click.echo(_sum(rows, yes, failed))


def _kept(found: Found) -> list[tuple[tuple[str, str], str]]:
    return sorted(found.kept.items())


def _keeps(found: Found) -> Iterator[str]:
    """By what keeps them, with the first few of them."""
    by_reason: dict[str, list[str]] = {}
    for (name, fingerprint), why in _kept(found):
        by_reason.setdefault(why, []).append(f"{name} {fingerprint[:12]}")
    for why, titles in by_reason.items():
        more = f" and {len(titles) - _NAMED:,} more" if len(titles) > _NAMED else ""
        yield f"Kept, {why}: {', '.join(titles[:_NAMED])}{more}"


def _leftover(one: Leftover) -> dict[str, Any]:
    return {
        "what": one.title,
        "name": one.entry.name,
        "fingerprint": one.entry.fingerprint,
        "days": round(one.age / _DAY, 1),
        "tuned_model": one.model.name if one.model else None,
        "endpoints": [endpoint.name for endpoint in one.endpoints],
        "stays": one.stays,
        "why": one.why,
    }


def _unused(one: Unused) -> dict[str, Any]:
    return {
        "what": one.title,
        "digest": one.digest,
        "days": round(one.age / _DAY, 1),
        "bytes": one.size,
        "objects": len(one.blobs),
        "why": "no tuning that is kept was tuned on it",
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    size = f"{row['bytes']:,} bytes" if "bytes" in row else "-"
    remote = [row.get("tuned_model"), *row.get("endpoints", ())]
    there = "\n".join(name for name in remote if name) or "-"
    stays = row.get("stays")
    return (
        row["what"],
        f"{row['days']} days",
        size,
        f"stays: {stays}" if stays else there,
        row["why"],
    )


def _sum(rows: list[dict[str, Any]], yes: bool, failed: dict[str, str]) -> str:
    if not rows:
        return "Nothing to prune: everything that is recorded is needed or kept."
    if yes:
        return f"Deleted {len(rows) - len(failed)} of {len(rows)}."
    return f"Nothing was deleted; `vertune prune --yes` deletes {len(rows)}."
