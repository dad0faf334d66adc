"""The command line: finds a command by name, loads only that, and prints expected errors."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoSuchCommand

from jobs.runner import memory
from jobs.runner.errors import VertuneError, plain

# One module of jobs.runner.commands each; `vertune --help` shows the text without loading it.
COMMANDS = {
    "check": "Check specs and their data; change nothing.",
    "plan": "Show what apply would do, why and for how much.",
    "apply": "Tune what the plan says, wait, evaluate, record.",
    "status": "Show where every spec stands: in sync or not, and how that fares.",
    "drift": "Compare what is recorded with what Vertex AI has.",
    "compare": "Show what two stacks serve, side by side.",
    "promote": "Serve a tuning that is recorded; no job is needed.",
    "rollback": "Serve what was served before.",
    "cancel": "Cancel the tuning job that is under way.",
    "import": "Take in a job or tuned model that exists already.",
    "prune": "Show what nobody needs any more; delete it with --yes.",
    "predict": "Ask the tuned model (or the base model) of a spec.",
    "evaluate": "Score the tuned model of a spec on held-out examples.",
    "record": "Refresh the stack's outputs from the ledger.",
    "cost": "Show what tunings cost in a month, by label.",
    "models": "List the base models that can be tuned.",
    "spec": "Show a spec as this stack sees it, and where each value comes from.",
    "new": "Start a new spec or a new stack.",
    "post": "Put reports into one comment or issue on GitHub.",
    "dataset": "Make new files of examples from old ones.",
    "schema": "Print the JSON Schema of a spec.",
    "emulator": "Run Google Cloud's part on this machine.",
    "doctor": "Say what is in use, what is missing, and what mends it.",
    "demo": "Run the whole of it on this machine.",
}

_INTERRUPTED = 130  # what a shell makes of Ctrl-C


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"jobs.runner.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # it looks for near names among the loaded ones
            raise NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        memory.generous()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # not every terminal can show every sign
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except VertuneError as error:
            click.echo("\n".join(map(plain, str(error).split("\n"))), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nstopped", err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-s",
    "--stack",
    help="The environment, Pulumi.<stack>.yaml; by default the one that Pulumi has selected,"
    " else local.",
)
@click.option(
    "-C",
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The repository; by default the one around the current folder.",
)
@click.version_option(package_name="vertune")
@click.pass_context
def main(ctx: click.Context, stack: str | None, root: Path | None) -> None:
    """Model tuning as code: specs in git, Vertex AI tuning jobs, Pulumi stack outputs.

    On stack "local" everything runs on this machine, against an emulator.
    """
    from jobs.runner.commands import Place

    ctx.obj = Place(stack, root)


if __name__ == "__main__":
    sys.exit(main())
