"""The rehearsal: its first scenes are played, the rest of the page is held to the workflows."""

import re
from pathlib import Path

import pytest

from tests.rehearsal.expressions import Unknown, evaluated, holds, resolved
from tests.rehearsal.site import Site
from tests.rehearsal.story import Story
from tests.rehearsal.transcript import plain, shown
from tests.workflows.files import steps

_PEOPLES = (
    "pulumi stack init ",
    "pulumi config set ",
    "pulumi up --yes --skip-preview --",
    "git push origin ",
    "vertune compare ",
)


def test_a_spec_is_planned_merged_tuned_and_recorded_as_the_page_tells(tmp_path: Path) -> None:
    lines: list[str] = []
    with Site(tmp_path) as site:
        Story(site, lines.append).begun()
        assert [one["title"] for one in site.hub.issues] == []
        assert len(site.hub.comments) == 2
    told = plain("\n".join(lines))
    assert len(told) > 30
    assert shown()[: len(told)] == told


def test_every_command_of_the_page_is_a_persons_or_a_step_of_a_workflow() -> None:
    run = {step.run for step in steps() if step.run}
    told = [found[1] for line in shown() if (found := re.match(r"  \d+  (.*)", line))]
    assert len(told) > 90
    ours = [one for one in told if not one.startswith(("(", *_PEOPLES))]
    assert [one for one in ours if one not in run] == []


CONTEXT = {"github": {"event_name": "push", "ref": "main"}, "vars": {"PROVIDER_DEV": "x"}}


@pytest.mark.parametrize(
    ("condition", "failed", "runs"),
    [
        (None, False, True),
        (None, True, False),
        ("${{ failure() }}", True, True),
        ("${{ failure() }}", False, False),
        ("${{ !cancelled() }}", True, True),
        ("${{ !cancelled() && github.event_name != 'push' }}", True, False),
        ("${{ vars.PROVIDER_DEV != '' && github.event_name == 'push' }}", False, True),
        ("${{ vars.PROVIDER_DEV != '' && github.event_name == 'push' }}", True, False),
        ("${{ github.event_name == 'schedule' || github.ref == 'main' }}", False, True),
    ],
)
def test_a_condition_decides_as_it_does_on_github(
    condition: str | None, failed: bool, runs: bool
) -> None:
    assert holds(condition, CONTEXT, failed) is runs


def test_what_stands_in_an_expression_is_put_in_its_place() -> None:
    value = {"a": ["${{ github.ref }}-${{ vars.PROVIDER_DEV }}"], "b": 1}
    assert resolved(value, CONTEXT) == {"a": ["main-x"], "b": 1}
    with pytest.raises(Unknown):
        evaluated("github.nothing", CONTEXT)
