"""Grants: the README's table is theirs, and each role holds what it is granted for."""

import re

import pytest

from infra.grants import GRANTS, Grant, table
from jobs.emulator.access import roles
from tests.infra.program import ROOT


def test_the_readme_shows_them_all_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = re.search(r"<!-- grants -->\n(.*?)\n<!-- /grants -->", readme, re.DOTALL)
    assert shown
    assert shown[1] == table()


@pytest.mark.parametrize("grant", [one for one in GRANTS if not one.custom], ids=lambda g: g.name)
def test_a_predefined_role_holds_what_it_is_granted_for(grant: Grant) -> None:
    assert grant.calls.keys() <= roles.table()[grant.role]


def test_every_call_of_an_account_is_allowed_for_one_reason_only() -> None:
    named = [(one.account, name, one.only) for one in GRANTS for name in one.calls]
    assert len(named) == len({*named})
