"""Prices: the stack's own first, then the catalog's with its source and its day."""

from datetime import date, timedelta

from jobs.runner import catalog
from jobs.runner.price import Price, price_of

KNOWN = catalog.load()
BASE, UNPRICED = "gemini-3.1-flash-lite", "gemini-3.5-flash-lite"


def test_the_catalogs_price_says_where_and_when_it_was_read() -> None:
    price = price_of(BASE, KNOWN, {})
    facts = KNOWN.base_models[BASE]
    assert price == Price(facts.price_usd or 0, KNOWN.sources["pricing"], facts.price_read, True)
    assert str(price) == "$3.00 a million tokens (second-hand, read on 2026-09-24)"


def test_the_stacks_own_price_comes_first_and_never_is_old() -> None:
    price = price_of(BASE, KNOWN, {BASE: 2.5})
    assert str(price) == "$2.50 a million tokens (vertune:prices)"
    assert price is not None
    assert not price.stale(date(2099, 1, 1))
    assert price_of(UNPRICED, KNOWN, {UNPRICED: 1.25}) == Price(1.25, "vertune:prices")


def test_what_nobody_knows_stays_unknown() -> None:
    assert price_of(UNPRICED, KNOWN, {BASE: 2.5}) is None
    assert price_of("text-bison@001", KNOWN, {}) is None


def test_a_price_is_old_after_ninety_days() -> None:
    price = Price(1.0, "https://example.com", date(2026, 1, 1))
    assert not price.stale(price_day := date(2026, 1, 1) + timedelta(90))
    assert price.aged(price_day) is None
    assert price.stale(price_day + timedelta(1))
