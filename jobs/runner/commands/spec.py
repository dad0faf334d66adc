"""`vertune spec`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError


@click.command("spec")
@click.argument("name")
@click.option(
    "--resolved",
    is_flag=True,
    help="What the file leaves out, too: each value with the line or the default it comes from.",
)
@output_option
@click.pass_obj
def command(place: Place, name: str, resolved: bool, output: str) -> None:
    """Show a spec as this stack sees it, and where each value comes from.

    Its overrides are in the values. Example: vertune --stack prod spec headlines --resolved
    """
    from jobs.runner import origins, spec

    files = spec.load(place.root, place.name, [name])
    if not files:
        raise VertuneError(f"{name} is not meant for stack {place.name} (its `environments`)")
    (file,) = files
    found = [one for one in origins.values(file) if resolved or one.origin.startswith(file.path)]
    if output == "json":
        click.echo(
            report.dumps({"stack": place.name, "spec": name, "values": [*map(asdict, found)]})
        )
        return
    rows = [(one.key, _shown(one.value), one.origin) for one in found]
    columns = (f"{name} on {place.name}", "value", "from")
    click.echo(report.table(columns, rows, markdown=output == "markdown"))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
