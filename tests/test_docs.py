"""The documentation: its links lead somewhere, and what it names is there."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from tests.pages import PAGES, ROOT, ids, named, taken, typed


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
    room = r"(?:\.github|datasets|docs|infra|jobs|tests)"
    found = re.findall(rf"`({room}/[\w./-]*)`", page.read_text("utf-8"))
    made = {
        "jobs/first.yaml",
        "jobs/tickets.yaml",
        "datasets/tickets",
    }  # by the one who follows the page
    assert [path for path in {*found} - made if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", [one for one in PAGES if typed(one) or named(one)], ids=ids)
def test_every_command_it_tells_is_taken(page: Path) -> None:
    for command in typed(page):
        taken(command)
    for command in named(page):
        with suppress(click.MissingParameter):
            taken(command)


def test_the_commands_of_all_pages_are_found() -> None:
    assert "vertune --stack dev apply" in typed(ROOT / "README.md")
    assert "vertune --stack NAME rollback SPEC" in named(ROOT / "docs/workflows.md")
    assert len([page for page in PAGES if named(page)]) >= 10


def test_the_site_is_built_with_every_page_and_no_dangling_link(tmp_path: Path) -> None:
    site, doctrees = str(tmp_path / "site"), str(tmp_path / "doctrees")
    words = ["sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-d", doctrees]
    command = [sys.executable, "-m", *words, str(ROOT / "docs"), site]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = [page.relative_to(ROOT / "docs").with_suffix(".html") for page in PAGES[1:]]
    assert len(pages) > 5
    assert [page for page in pages if not (tmp_path / "site" / page).exists()] == []
