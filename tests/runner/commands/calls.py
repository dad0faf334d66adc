"""Calls of `vertune` in this process, for a repository."""

from click.testing import CliRunner, Result

from jobs.runner.cli import main
from tests.conftest import Repository


def vertune(repository: Repository, *arguments: str, stack: str = "local") -> Result:
    """What the command printed and how it ended; a traceback is a failure of the test."""
    every = ["--root", str(repository.root), "--stack", stack, *arguments]
    return CliRunner().invoke(main, every, catch_exceptions=False)
