"""`vertune emulator`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.runner.commands import Place, output_option
from jobs.runner.errors import VertuneError

if TYPE_CHECKING:
    from jobs.emulator.daemon import Running

_COUNTS = ("name", "seen", "hits", "held")


@click.group("emulator")
def command() -> None:
    """Run Google Cloud's part on this machine: storage, IAM, and a Vertex AI that really tunes.

    Nothing leaves the machine. State is kept in .vertune/emulator.
    """


@command.command("start")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="By default the last one.")
@click.option("--trainer", help="smollm2, or nearest: instant, without a language model.")
@click.option(
    "--max-tuning-jobs",
    type=click.IntRange(min=1),
    help="Refuse more at once, as a quota does; by default more wait.",
)
@click.pass_obj
def start(place: Place, port: int, trainer: str | None, max_tuning_jobs: int | None) -> None:
    """Start it in the background, and say where it answers.

    Example: vertune emulator start --port 8085
    """
    from jobs.emulator import daemon

    with _expected():
        before = daemon.running(folder(place.root))
        found = daemon.start(folder(place.root), port, trainer, place.root, max_tuning_jobs)
    said = "The emulator already runs" if before == found else "The emulator runs"
    click.echo(f"{said} at {found.url} (trainer {found.trainer}, process {found.pid}).")


@command.command("stop")
@click.pass_obj
def stop(place: Place) -> None:
    """Stop it; its state stays."""
    from jobs.emulator import daemon

    with _expected():
        found = daemon.stop(folder(place.root))
    click.echo(f"The emulator at {found.url} has ended." if found else "No emulator was running.")


@command.command("status")
@output_option
@click.pass_obj
def status(place: Place, output: str) -> None:
    """Say whether it runs, and where. Exit code 1 if it does not.

    Example: vertune emulator status -o json
    """
    from jobs.runner import report

    found = _running(place)
    facts = {
        "url": found.url,
        "process": found.pid,
        "started": found.started,
        "trainer": found.trainer,
        "max_tuning_jobs": found.max_tuning_jobs,
        "folder": str(found.folder),
    }
    if output == "json":
        click.echo(report.dumps(facts))
    else:
        rows = [
            (name, "any number" if value is None else str(value)) for name, value in facts.items()
        ]
        click.echo(report.table(("what", "is"), rows, markdown=output == "markdown"))


@command.command("env")
@click.option(
    "--genuine-provider",
    is_flag=True,
    help="For Google's own provider plugin instead of the emulator's.",
)
@click.option("--plain", is_flag=True, help="NAME=VALUE lines, as $GITHUB_ENV takes them.")
@click.option(
    "--state",
    metavar="gs://BUCKET",
    help="Have Pulumi keep its state there, in a bucket of the emulator. STORAGE_EMULATOR_HOST is"
    " then HOST:PORT, which Pulumi's engine takes and Google's client for Python does not.",
)
@click.pass_obj
def env(place: Place, genuine_provider: bool, plain: bool, state: str | None) -> None:
    """Print what points Google's tools and Pulumi at it.

    Example: eval "$(vertune emulator env)"
    """
    if state and not state.startswith("gs://"):
        raise click.UsageError("--state is gs://BUCKET or gs://BUCKET/PREFIX")
    from jobs.emulator import environment as shell

    found = _running(place)
    variables = shell.environment(
        found.url, found.folder, place.root, genuine_provider=genuine_provider, state=state
    )
    shown = shell.plain_lines(variables) if plain else shell.export_lines(variables)
    click.echo(shown, nl=False)


@command.command("faults")
@click.option(
    "--set",
    "file",
    type=click.Path(path_type=Path),
    help="Replace all rules by those of this YAML or JSON file.",
)
@click.option("--clear", is_flag=True, help="Remove all rules, and free what they hold.")
@output_option
@click.pass_obj
def faults(place: Place, file: Path | None, clear: bool, output: str) -> None:
    """Make requests fail on purpose, and list the rules with the requests they hit.

    A rule is for a method, path and query (globs), from the nth request on, so many times. Before
    or after the request acted it makes a delay, answers an error status, cuts the connection or
    the answer, answers nonsense, or holds the request. docs/emulator.md has an example.

    Example: vertune emulator faults --set faults.yaml
    """
    from jobs.emulator.faults.client import FaultsClient
    from jobs.runner import report

    if file and clear:
        raise click.UsageError("--set and --clear exclude each other.")
    rules = FaultsClient(_running(place).url)
    with _expected():
        if file:
            rules.write(_text(file), str(file))
        if clear:
            rules.clear()
        found = rules.listed()
    if output == "json":
        click.echo(report.dumps(found))
    elif found:
        columns = ("name", "rule", "seen", "hits", "held")
        click.echo(report.table(columns, map(_row, found), markdown=output == "markdown"))
    else:
        click.echo("No rules: no request fails on purpose.")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise VertuneError(f"{file}: is not UTF-8 text") from error
    except OSError as error:
        raise VertuneError(f"{file}: {error.strerror}") from error


def _row(rule: dict[str, Any]) -> list[str]:
    rest = [f"{key}: {value}" for key, value in rule.items() if key not in _COUNTS]
    name, *counts = (str(rule[key]) for key in _COUNTS)
    return [name, ", ".join(rest), *counts]


@command.command("reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def reset(place: Place, yes: bool) -> None:
    """Stop it and remove its state: buckets, jobs, tuned models, and the local stack."""
    from jobs.emulator import daemon

    if not yes:
        click.confirm(f"Remove everything in {folder(place.root)}?", abort=True)
    with _expected():
        daemon.reset(folder(place.root))
    click.echo("The emulator's state and the local stack are gone.")


def folder(root: Path) -> Path:
    return root / ".vertune" / "emulator"


def _running(place: Place) -> Running:
    from jobs.emulator import daemon

    if found := daemon.running(folder(place.root)):
        return found
    raise VertuneError("the emulator is not running; start it with `vertune emulator start`")


@contextmanager
def _expected() -> Iterator[None]:
    from jobs.emulator.daemon import EmulatorError
    from jobs.emulator.faults.reading import RulesError

    try:
        yield
    except (EmulatorError, RulesError) as error:
        raise VertuneError(str(error)) from error
