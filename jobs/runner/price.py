"""Price: what a million training tokens of a base model cost, who says so, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.runner.catalog import Catalog

STALE = timedelta(days=90)  # prices move; an older one is still used, and said to be old
SETTING = "vertune:prices"


@dataclass(frozen=True)
class Price:
    usd: float  # of a million training tokens
    source: str
    read: date | None = None  # None: the stack's own, which git dates
    second_hand: bool = False

    def stale(self, today: date) -> bool:
        return self.read is not None and today - self.read > STALE

    def __str__(self) -> str:
        if self.read is None:
            return f"${self.usd:,.2f} a million tokens ({SETTING})"
        how = "second-hand, " if self.second_hand else ""
        return f"${self.usd:,.2f} a million tokens ({how}read on {self.read})"

    def aged(self, today: date) -> str | None:
        """What is to be said of an old price."""
        if self.read is None or not self.stale(today):
            return None
        return (
            f"the price was read {(today - self.read).days} days ago; see {self.source}, and set"
            f" {SETTING} if it is another one by now"
        )


def price_of(base_model: str, known: Catalog, own: Mapping[str, float]) -> Price | None:
    """The stack's own price before the catalog's; None is unknown, which is not nothing."""
    if base_model in own:
        return Price(own[base_model], SETTING)
    facts = known.base_models.get(base_model)
    if facts is None or facts.price_usd is None:
        return None
    source = known.sources[facts.price_source]
    return Price(facts.price_usd, source, facts.price_read, facts.price_second_hand)
