"""The catalog: complete, consistent, dated, and with a source for every fact."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.runner import catalog

KNOWN = catalog.load()


def values() -> dict[str, Any]:
    return KNOWN.model_dump()


def with_fact(**facts: object) -> dict[str, Any]:
    found = values()
    found["base_models"]["gemini-3.1-flash-lite"] |= facts
    return found


def test_what_is_shipped_keeps_its_own_rules() -> None:
    assert catalog.read(values()) == KNOWN


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"price_source": "hearsay"}, "no source is called hearsay"),
        ({"retirement_source": "hearsay"}, "no source is called hearsay"),
        ({"limits_source": "hearsay"}, "no source is called hearsay"),
        ({"price_read": date(2099, 1, 1)}, "was read after the catalog was"),
        ({"price_read": None}, "price_read"),
        ({"limits_read": None}, "limits_read"),
        ({"retirement_read": None}, "retirement_read"),
        ({"price_usd": 0}, "price_usd"),
        ({"regions": ()}, "regions"),
        ({"regions": ("us-east5",)}, "regions and the regions in serving differ"),
        ({"adapter_sizes": (0,)}, "adapter_sizes"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_fact_without_a_source_or_a_day_or_sense_is_refused(
    facts: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        catalog.read(with_fact(**facts))


def test_a_source_is_an_address() -> None:
    with pytest.raises(ValidationError, match=r"sources\.about"):
        catalog.read(values() | {"sources": {**KNOWN.sources, "about": "a colleague"}})


def test_there_is_one_that_is_not_retired_and_has_a_price() -> None:
    assert any(f.price_usd and not f.retired(KNOWN.read) for f in KNOWN.base_models.values())


def test_a_base_model_is_retired_from_its_day_on() -> None:
    facts = KNOWN.base_models["gemini-2.5-flash"]
    assert not facts.retired(date(2026, 10, 19))
    assert facts.retired(date(2026, 10, 20))


def test_a_name_that_is_not_known_is_answered_with_the_nearest() -> None:
    assert KNOWN.unknown("gemini-3.1-flash-light") == (
        '"gemini-3.1-flash-light" is no base model that can be tuned; did you mean'
        ' "gemini-3.1-flash-lite"?'
    )
    assert KNOWN.unknown("text-bison@001").endswith(f"known: {', '.join(KNOWN.base_models)}")
