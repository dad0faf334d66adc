"""`vertune new`."""

import typing

import click

from jobs.runner import catalog
from jobs.runner.commands import Place
from jobs.runner.errors import VertuneError
from jobs.runner.spec import DEFAULT_METRIC, NAME, Task

_SPEC = """\
# yaml-language-server: $schema=schema.json
task: {task}
base_model: {base_model}
dataset: {dataset}
tuning:
  epochs: 4
evaluation: {{metric: {metric}, at_least: 0.5}}
"""


@click.command("new")
@click.argument("name")
@click.option("--task", type=click.Choice(typing.get_args(Task)), required=True)
@click.option("--dataset", help="Folder, .jsonl file or gs:// URI; by default datasets/NAME.")
@click.option("--base-model", help="By default the cheapest one whose price is known.")
@click.pass_obj
def command(
    place: Place, name: str, task: Task, dataset: str | None, base_model: str | None
) -> None:
    """Start a new spec, jobs/NAME.yaml, to be filled in and checked.

    Example: vertune new tickets --task classification --dataset datasets/tickets
    """
    if not NAME.fullmatch(name):
        raise VertuneError(f'"{name}" is no name: a-z, 0-9 and "-", at most 63, a letter first')
    base_model = base_model or _cheapest()
    if base_model not in catalog.load().base_models:
        raise VertuneError(catalog.load().unknown(base_model))
    path = place.root / "jobs" / f"{name}.yaml"
    text = _SPEC.format(
        task=task,
        base_model=base_model,
        dataset=dataset or f"datasets/{name}",
        metric=DEFAULT_METRIC[task],
    )
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise VertuneError(f"jobs/{name}.yaml exists; choose another name or edit it") from None
    click.echo(f"jobs/{name}.yaml is written.")
    click.echo(f"Next: put examples into {dataset or f'datasets/{name}'}, then")
    click.echo(f"  vertune check --select {name}")


def _cheapest() -> str:
    priced = {
        name: facts.price_usd
        for name, facts in catalog.load().base_models.items()
        if facts.price_usd is not None
    }
    return min(priced, key=lambda name: priced[name])
