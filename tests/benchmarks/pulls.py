"""What a pull request on 500 specs waits for: `python -m tests.benchmarks.pulls`; at most 10 s."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import click

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from jobs.runner.commands import Place
from tests.benchmarks.scale import BUCKET, recorded, repository, vertune
from tests.conftest import Repository
from tests.faults.station import PROJECT

_WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com")


@click.command()
@click.option("--specs", default=500, show_default=True)
@click.option("--touched", default=3, show_default=True)
def main(specs: int, touched: int) -> None:
    """Print seconds, of a fresh clone as in a workflow, and once more."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(Path(folder) / "emulator", trainer="nearest") as emulator,
    ):
        made = repository(Path(folder) / "repository", emulator.url, specs)
        storage.bucket(BUCKET, PROJECT, emulator.url).create(location="us-central1")
        recorded(Place("local", made.root), specs)
        _branch(made, touched)
        for words in (("check",), ("plan", "-o", "markdown", "--touched", "main")):
            for which in ("fresh", "again"):
                if which == "fresh":
                    subprocess.run(["rm", "-rf", str(made.root / ".vertune/cache")], check=True)
                took, megabytes = vertune(made.root, *words)
                click.echo(f"{words[0]:<6} {which}: {took:5.2f} s, {megabytes:4.0f} MB")


def _branch(made: Repository, touched: int) -> None:
    """A branch of `main` with specs of its own."""
    (made.root / ".gitignore").write_text(".vertune/\n", "utf-8")
    _git(made.root, "init", "--quiet", "--initial-branch", "main")
    _commit(made.root)
    _git(made.root, "switch", "--quiet", "--create", "change")
    for number in range(touched):
        made.job(f"new-{number}")
    _commit(made.root)


def _commit(root: Path) -> None:
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", "specs")


def _git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *_WHO, *words], check=True, capture_output=True)


if __name__ == "__main__":
    main()
