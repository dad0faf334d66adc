"""`vertune drift`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.errors import plain


@click.command("drift")
@select_option
@output_option
@click.pass_obj
def command(place: Place, select: tuple[str, ...], output: str) -> None:
    """Compare what is recorded with what Vertex AI has; change nothing.

    Exit code 3 if anything differs, each with what it means and what to do, else 0.

    Example: vertune --stack dev drift -o markdown
    """
    from jobs.runner import report_drift
    from jobs.runner.drift import differences
    from jobs.runner.observation import Sources, observe

    settings = place.settings
    sources = Sources(place.name, settings, place.ledger, place.vertex, place.registry)
    seen = observe(sources, _wanted(place))
    found = [one for one in differences(seen) if not select or one.name in select]
    recorded = sum(1 for entry, _ in seen.entries() if not select or entry.name in select)
    if output == "json":
        click.echo(report.dumps(report_drift.json(found)))
    elif output == "markdown":
        click.echo(report_drift.markdown(found, recorded))
    else:
        click.echo(report_drift.text(found, recorded))
    if found:
        click.get_current_context().exit(3)


def _wanted(place: Place) -> dict[str, str]:
    """By name, the fingerprint that its spec asks for; what is wrong with others is only said."""
    from jobs.runner.legible import legible

    today = datetime.now(UTC).date()
    here = (place.root, place.name, place.settings, place.open_bucket)
    with place.seen() as known:
        found = legible(*here, today, seen=known)
    for what in found.wrong:
        click.echo("\n".join(map(plain, what.split("\n"))), err=True)
    return {name: desired.fingerprint for name, desired in found.desired.items()}
