"""Offered: where the API and the catalog say different things."""

from datetime import date

from jobs.runner import catalog
from jobs.runner.offered import unknown, wrong

KNOWN = catalog.load()
TODAY = date(2026, 11, 23)
LIVE = {name for name, facts in KNOWN.base_models.items() if not facts.retired(TODAY)}


def test_nothing_is_wrong_where_the_api_lists_what_lives() -> None:
    assert [*wrong(KNOWN, LIVE, TODAY)] == []


def test_what_is_listed_too_long_or_gone_too_early_is_told() -> None:
    listed = (LIVE | {"gemini-2.5-flash"}) - {"gemini-3.5-flash"}
    assert [*wrong(KNOWN, listed, TODAY)] == [
        "gemini-3.5-flash: not listed any more, though by the catalog it may retire no earlier than"
        " 2027-05-19",
        "gemini-2.5-flash: still listed, though by the catalog it was retired on 2026-10-20",
    ]


def test_others_of_the_family_are_told_apart() -> None:
    assert unknown(KNOWN, LIVE | {"gemini-9-flash", "imagen-9"}) == ["gemini-9-flash"]
