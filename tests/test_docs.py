"""The documentation: its links lead somewhere, and what it names is there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from jobs.runner.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
TOLD = {"workflows.md", "roles"}  # pages, and folders of pages, that tell what to type
_PLACEHOLDERS = {"NAME": "dev", "SPEC": "tickets", "$STACK": "dev"}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_link_within_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        if re.match(r"https://", link):
            continue
        file, _, part = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if part:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.M)
            assert part in map(slug, headings), link


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_path_it_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:\.github|ci|docs|infra|tests)/[\w./-]*)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "page", [one for one in PAGES if TOLD & {one.name, one.parent.name}], ids=ids
)
def test_every_command_it_tells_is_taken(page: Path) -> None:
    told = re.findall(r"`(vertune (?:--stack NAME )?[a-z]+ ?[^`]*)`", page.read_text("utf-8"))
    assert len(told) >= 2
    for command in told:
        taken(command)


def test_the_same_commands_are_gitlabs() -> None:
    body = yaml.safe_load((ROOT / "docs/gitlab-ci.yml").read_text("utf-8"))
    lines = [
        line for job in body.values() if isinstance(job, dict) for line in job.get("script", [])
    ]
    ours = [line for line in lines if line.startswith("vertune ")]
    assert len(ours) >= 4
    for line in ours:
        taken(line)


def test_the_site_is_built_with_every_page_and_no_dangling_link(tmp_path: Path) -> None:
    site, doctrees = str(tmp_path / "site"), str(tmp_path / "doctrees")
    words = ["sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-d", doctrees]
    command = [sys.executable, "-m", *words, str(ROOT / "docs"), site]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in PAGES[1:]]
    assert len(pages) > 5
    assert [page for page in pages if not (tmp_path / "site" / page).exists()] == []


def taken(command: str) -> None:
    """Raises UsageError for what the command line does not take."""
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(command)[1:]]
    rest = words[2:] if words[0] == "--stack" else words
    context = click.Context(main, **main.context_settings)
    found = main.get_command(context, rest[0])
    assert found is not None, command
    if isinstance(found, click.Group) and len(rest) > 1:
        inner = found.get_command(context, rest[1])
        assert inner is not None, command
        found, rest = inner, rest[1:]
    if found.params and len(rest) == 1 and any(one.required for one in found.params):
        return  # just its name
    found.make_context(rest[0], rest[1:], parent=context)
