"""`vertune schema`: what jobs/schema.json is written with."""

from pathlib import Path

from tests.conftest import Repository
from tests.runner.commands.calls import vertune


def test_it_prints_what_is_published(repository: Repository) -> None:
    published = Path(__file__).parents[3] / "jobs" / "schema.json"
    assert vertune(repository, "schema").stdout == published.read_text("utf-8")
