"""Offered: the base models that the API lists beside those of the catalog; pure.

The API says which there are. It says neither which can be tuned, nor prices, nor retirement.
"""

from collections.abc import Collection, Iterator
from datetime import date

from jobs.runner.catalog import Catalog

_FAMILY = "gemini-"


def wrong(known: Catalog, listed: Collection[str], today: date) -> Iterator[str]:
    """What the catalog says and the API does not."""
    for name, facts in known.base_models.items():
        if facts.retired(today) and name in listed:
            yield f"{name}: still listed, though by the catalog it was retired on {facts.retires}"
        elif not facts.retired(today) and name not in listed:
            yield (
                f"{name}: not listed any more, though by the catalog it may retire no earlier than"
                f" {facts.retires}"
            )


def unknown(known: Catalog, listed: Collection[str]) -> list[str]:
    """Of the same family, and not in the catalog."""
    return sorted(
        name for name in listed if name.startswith(_FAMILY) and name not in known.base_models
    )
