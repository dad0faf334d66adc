"""The catalog: complete, consistent, dated, and with a source for every fact."""

from datetime import date

import pytest

from jobs.runner import catalog
from jobs.runner.catalog import BaseModelFacts

KNOWN = catalog.load()
FACTS = sorted(KNOWN.base_models.items())


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_every_region_has_a_place_to_be_served_from(name: str, facts: BaseModelFacts) -> None:
    assert set(facts.regions) == set(facts.serving)


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_every_fact_has_a_source_and_a_day_that_is_past(name: str, facts: BaseModelFacts) -> None:
    assert facts.limits_source in KNOWN.sources
    assert facts.retirement_source in KNOWN.sources
    assert facts.price_source
    assert max(facts.price_read, facts.limits_read) <= KNOWN.read
    assert all(url.startswith("https://") for url in KNOWN.sources.values())


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_an_unknown_price_is_none_and_never_nothing(name: str, facts: BaseModelFacts) -> None:
    assert facts.price_usd is None or facts.price_usd > 0


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
