"""Grants: the tables of the pages are theirs, and each role holds what it is granted for."""

import re
from collections.abc import Callable

import pytest

from infra.grants import GRANTS, Grant, summary, table
from jobs.emulator.access import roles
from tests.infra.program import ROOT


@pytest.mark.parametrize(("page", "made"), [("README.md", summary), ("docs/grants.md", table)])
def test_the_pages_show_them_all_as_they_are(page: str, made: Callable[[], str]) -> None:
    shown = re.search(r"<!-- grants -->\n(.*?)\n<!-- /grants -->", (ROOT / page).read_text(), re.S)
    assert shown
    assert shown[1] == made()


@pytest.mark.parametrize("grant", [one for one in GRANTS if not one.custom], ids=lambda g: g.name)
def test_a_predefined_role_holds_what_it_is_granted_for(grant: Grant) -> None:
    assert grant.calls.keys() <= roles.table()[grant.role]


def test_every_call_of_an_account_is_allowed_for_one_reason_only() -> None:
    named = [(one.account, name, one.only) for one in GRANTS for name in one.calls]
    assert len(named) == len({*named})
