"""`vertune demo`."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from jobs.runner.commands import Place
from jobs.runner.errors import VertuneError

_QUESTION = (
    "question: Where are the spare keys kept?"
    " context: Spare keys hang behind the notice board; sign for them."
)
_OUTPUTS = ("pulumi", "stack", "output", "tuned_models", "--json", "--stack", "local")
_NEXT = """
Next, by hand:
  source .venv/bin/activate
  vertune emulator start
  eval "$(vertune emulator env)"
  vertune predict headlines "Shares of the grocer rose on strong sales."
Recipes for your own data, and for Google Cloud, are in README.md."""


@dataclass(frozen=True)
class Step:
    """A command as a person would type it, and what it is for."""

    why: str
    command: Sequence[str]
    expected: int = 0


STEPS = (
    Step("Google Cloud's part, on this machine", ("vertune", "emulator", "start")),
    Step("A stack to record in", ("pulumi", "stack", "select", "local", "--create")),
    Step("What must exist", ("pulumi", "up", "--stack", "local", "--yes", "--skip-preview")),
    Step("What is wrong with specs and data", ("vertune", "check")),
    Step("What would be tuned, why and for how much", ("vertune", "plan")),
    Step("Tune, evaluate, record", ("vertune", "apply", "--yes")),
    Step("What is recorded", ("vertune", "status")),
    Step("The stack's outputs", _OUTPUTS),
    Step(
        "A new question, and what the base model makes of it",
        ("vertune", "predict", "--base", "handbook", _QUESTION),
    ),
    Step(
        "The tuned model answers in words of the text, as it was taught to",
        ("vertune", "predict", "handbook", _QUESTION),
    ),
    Step("Nothing is left to do", ("vertune", "plan", "--detailed-exitcode")),
)


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the emulator running.")
@click.pass_obj
def command(place: Place, keep: bool) -> None:
    """Run the whole of it on this machine: provision, check, plan, tune, evaluate, record.

    Everything is kept in .vertune/: a demo that was killed goes on where it was, a second one
    finds nothing to do, and `vertune emulator reset` starts anew.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    start = time.monotonic()
    try:
        for number, step in enumerate(STEPS, 1):
            _run(place, number, step)
    except KeyboardInterrupt:
        raise VertuneError("\nstopped; `make demo` goes on from here") from None
    finally:
        if not keep:
            _stop(place.root)
    click.echo(
        f"\nDone in {time.monotonic() - start:.0f} s. All of it was simulated on this machine."
    )
    click.echo(_NEXT)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(place: Place, number: int, step: Step) -> None:
    click.secho(f"\n[{number}/{len(STEPS)}] {step.why}", bold=True)
    click.echo(f"$ {shlex.join(step.command)}")
    sys.stdout.flush()
    start = time.monotonic()
    environment = _environment(place.root)
    if step.command[:2] == ("pulumi", "up"):
        _unlock(place.root, environment)
    ended = subprocess.run(step.command, cwd=place.root, env=environment, check=False)
    click.echo(f"({time.monotonic() - start:.1f} s)")
    if ended.returncode != step.expected:
        raise VertuneError(
            f"`{shlex.join(step.command)}` ended with {ended.returncode}; once that is mended,"
            " run the demo again: it goes on from here"
        )


def _environment(root: Path) -> Mapping[str, str]:
    """This process's environment, pointed at the emulator once it runs."""
    from jobs.emulator.daemon import running
    from jobs.emulator.environment import environment

    folder = root / ".vertune" / "emulator"
    found = running(folder)
    settings = environment(found.url, folder, root) if found else {}
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, **settings, "VERTUNE_STACK": "local"}
    # A machine that is slow or busy is given time: whoever tries this has no other yet.
    return {"VERTUNE_PATIENCE": "4", **os.environ, **own}


def _unlock(root: Path, environment: Mapping[str, str]) -> None:
    """Take away the lock of an update that was killed: its process is gone with the last demo."""
    locks = root / ".vertune" / "emulator" / "pulumi" / ".pulumi" / "locks"
    if any(locks.rglob("*.json")):
        cancel = ("pulumi", "cancel", "--stack", "local", "--yes")
        subprocess.run(cancel, cwd=root, env=environment, check=False, capture_output=True)


def _stop(root: Path) -> None:
    from jobs.emulator.daemon import stop

    stop(root / ".vertune" / "emulator")
