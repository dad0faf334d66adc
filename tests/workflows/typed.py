"""Commands of ours as a workflow writes them, held to what the command line takes."""

from collections.abc import Sequence

import click

from jobs.runner.cli import main


def taken(words: Sequence[str]) -> None:
    """Raises UsageError for what the command line does not take."""
    words = [word.replace("$NUMBER", "7") for word in words]
    with main.make_context("vertune", words) as context:
        command: click.Command = main
        rest = [*context._protected_args, *context.args]
        while isinstance(command, click.Group):
            found = command.get_command(context, rest[0])
            assert found is not None, rest[0]
            command, rest = found, rest[1:]
        command.make_context("vertune", rest, parent=context)
