"""Pages: the README and docs/, what stands in their blocks, and whether a command is taken."""

import re
import shlex
from pathlib import Path

import click

from jobs.runner.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_PLACEHOLDERS = {"NAME": "dev", "SPEC": "tickets", "N": "1"}


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str, section: str = "") -> list[str]:
    """The fenced blocks of a language, of one section or all; the empty one is a shell's."""
    text = page.read_text("utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for named, block in fenced if named == language]


def typed(page: Path) -> list[str]:
    """Commands of ours that stand in blocks, as they are typed."""
    lines = [line for block in blocks(page, "") for line in block.splitlines()]
    return [line for line in lines if line.startswith("vertune ")]


def named(page: Path) -> list[str]:
    """Commands of ours within the text, where what they are about may be left out."""
    return re.findall(r"`(vertune (?:--stack NAME )?[a-z]+ ?[^`\n]*)`", page.read_text("utf-8"))


def taken(command: str) -> None:
    """Raises UsageError for what the command line does not take."""
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
    rest = words[2:] if words[0] == "--stack" else words
    context = click.Context(main, **main.context_settings)
    found = main.get_command(context, rest[0])
    assert found is not None, command
    if isinstance(found, click.Group):
        if len(rest) == 1:
            return  # just its name
        inner = found.get_command(context, rest[1])
        assert inner is not None, command
        found, rest = inner, rest[1:]
    found.make_context(rest[0], rest[1:], parent=context)
