"""`vertune new`."""

import json
import re
import typing
from datetime import UTC, date, datetime
from pathlib import Path

import click

from jobs.runner import catalog
from jobs.runner.commands import Place
from jobs.runner.errors import VertuneError
from jobs.runner.spec import DEFAULT_METRIC, NAME, NAME_RULE, Task

_SPEC = """\
# yaml-language-server: $schema=schema.json
task: {task}
base_model: {base_model}
dataset: {dataset}
tuning:
  epochs: 4
evaluation: {{metric: {metric}}}
"""


def _offered(context: click.Context, option: click.Parameter, begun: str) -> list[str]:
    """What a shell completes."""
    able = catalog.load().tunable(datetime.now(UTC).date())
    return [name for name in able if name.startswith(begun)]


@click.group("new")
def command() -> None:
    """Start a new spec or a new stack; what is there is never written over."""


@command.command("job")
@click.argument("name")
@click.option(
    "--task",
    type=click.Choice(typing.get_args(Task)),
    required=True,
    help="What the examples ask for.",
)
@click.option("--dataset", help="Folder, .jsonl file or gs:// URI; by default datasets/NAME.")
@click.option(
    "--base-model",
    shell_complete=_offered,
    help="By default the cheapest one whose price is known.",
)
@click.pass_obj
def job(place: Place, name: str, task: Task, dataset: str | None, base_model: str | None) -> None:
    """Start a new spec, jobs/NAME.yaml, to be filled in and checked.

    Example: vertune new job tickets --task classification --dataset datasets/tickets
    """
    if not NAME.fullmatch(name):
        raise VertuneError(f'"{name}" is no name for a job: {NAME_RULE}')
    dataset = dataset or f"datasets/{name}"
    text = _SPEC.format(
        task=task,
        base_model=_base_model(base_model, datetime.now(UTC).date()),
        dataset=_scalar(dataset),
        metric=DEFAULT_METRIC[task],
    )
    _write(place.root, name, text)
    click.echo(f"jobs/{name}.yaml is written.")
    there = dataset.startswith("gs://") or (place.root / dataset).exists()
    files = "" if dataset.endswith(".jsonl") else " (train, validation and test.jsonl)"
    click.echo("Next:" if there else f"Next: put examples into {dataset}{files}, then")
    click.echo(f"  vertune check --select {name}")


@command.command("stack")
@click.argument("name")
@click.option("--like", default="dev", show_default=True, help="The stack whose settings it gets.")
@click.option("--project", help="Google Cloud project; by default like the other's, by name.")
@click.pass_obj
def stack(place: Place, name: str, like: str, project: str | None) -> None:
    """Start a new environment: Pulumi.NAME.yaml after another one's, with a bucket of its own.

    Example: vertune new stack staging --project acme-ml-staging
    """
    from jobs.runner import scaffold

    made = scaffold.new_stack(place.root, name, like, project)
    _create(place.root / f"Pulumi.{name}.yaml", made.text, place.root)
    click.echo(f"Pulumi.{name}.yaml is written: project {made.project}, bucket {made.bucket}.")
    if made.left_out:
        click.echo(f"Not taken over, for they are of {like} alone: {', '.join(made.left_out)}.")
    click.echo("Next: look at it, then")
    click.echo(f"  pulumi stack init {name} && vertune --stack {name} doctor")


def _base_model(wanted: str | None, today: date) -> str:
    known = catalog.load().base_models
    if wanted is None:
        return _cheapest(today)
    if wanted not in known:
        raise VertuneError(catalog.load().unknown(wanted))
    if known[wanted].retired(today):
        raise VertuneError(f"{wanted} was retired on {known[wanted].retires}; see `vertune models`")
    return wanted


def _cheapest(today: date) -> str:
    priced = {
        name: facts.price_usd
        for name, facts in catalog.load().base_models.items()
        if facts.price_usd is not None and not facts.retired(today)
    }
    if not priced:
        raise VertuneError("every base model with a known price is retired; give --base-model")
    return min(priced, key=lambda name: priced[name])


def _scalar(text: str) -> str:
    """`text` in YAML: plain where nothing in it means anything there, else in quotes."""
    return text if re.fullmatch(r"[A-Za-z][\w./-]*|gs://[\w./-]+", text) else json.dumps(text)


def _write(root: Path, name: str, text: str) -> None:
    path = root / "jobs" / f"{name}.yaml"
    if path.with_suffix(".yml").exists():
        raise VertuneError(f"jobs/{name}.yml exists; choose another name or edit it")
    _create(path, text, root)


def _create(path: Path, text: str, root: Path) -> None:
    shown = path.relative_to(root).as_posix()
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise VertuneError(f"{shown} exists; choose another name or edit it") from None
    except OSError as error:
        raise VertuneError(f"{shown} cannot be written: {error.strerror}") from None
