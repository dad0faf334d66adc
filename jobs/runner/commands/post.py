"""`vertune post`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from jobs.runner.commands import Place
from jobs.runner.errors import VertuneError, plain
from jobs.runner.github import LIMIT, GitHub

_CUT = "\n\n… cut here; the log of the run has all of it."
_FENCES = 20  # characters around a text that is no Markdown


@click.command("post")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--pull-request", type=int, help="Into the stack's comment on this one.")
@click.option("--issue", metavar="TITLE", help="Into the stack's issue of this title.")
@click.option("--close", is_flag=True, help="Instead: close that issue, if it is open.")
@click.pass_obj
def command(
    place: Place, files: tuple[Path, ...], pull_request: int | None, issue: str | None, close: bool
) -> None:
    """Put reports into one comment or issue a stack on GitHub, written over each time.

    For workflows, whose environment says where and as whom; what is too long is cut.

    Example: vertune --stack dev post drift.md --issue Drift
    """
    if (pull_request is None) == (issue is None) or (close and issue is None):
        raise click.UsageError("give either --pull-request or --issue; --close goes with --issue")
    if close == bool(files):
        raise click.UsageError("give the files to be posted, or --close")
    github = GitHub.of(os.environ)
    if issue is None:
        said = github.comment(pull_request or 0, f"plan {place.name}", joined(files))
    elif close:
        said = github.close(f"{issue} {place.name}") or "no such issue is open"
    else:
        said = github.issue(f"{issue}: stack {place.name}", f"{issue} {place.name}", joined(files))
    click.echo(said)


def joined(files: tuple[Path, ...], limit: int = LIMIT) -> str:
    """The files one after the other, as much as there is room for."""
    text = ""
    for file in files:
        part = _read(file)
        room = limit - len(text.encode()) - 2
        if file.suffix == ".md":
            text += _first(part.strip("\n"), room) + "\n\n"
        else:
            fence = max(["``", *re.findall("`+", part)], key=len) + "`"
            shown = "\n".join(map(plain, part.strip("\n").split("\n")))
            shown = _first(shown, room - 2 * len(fence) - _FENCES)
            text += f"{fence}text\n{shown}\n{fence}\n\n"
    return text.rstrip("\n")


def _first(text: str, room: int) -> str:
    """As many whole lines as fit."""
    if len(text.encode()) <= room:
        return text
    cut = text.encode()[: max(0, room - len(_CUT.encode()))].decode(errors="ignore")
    return cut.rpartition("\n")[0] + _CUT


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", errors="replace")
    except OSError as error:
        raise VertuneError(f"{file} cannot be read: {error.strerror}") from None
