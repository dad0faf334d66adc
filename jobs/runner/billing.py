"""Billing: what tunings were billed and how long they took, and what that says of later ones; pure.

Of one spec, what was billed is held against what its text was estimated to have; the middle one of
these ratios is the factor on the next estimate of it, whatever examples were added since. Where
only one bill is known, the next is taken to be within five percent; else as far as they lie apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from jobs.runner.entry import Recorded, Summary
from jobs.runner.estimate import Estimate, counted

_LEAST_DOUBT = 0.05


@dataclass(frozen=True)
class Correction:
    """A factor on an estimate, and between which two the next bill is expected."""

    factor: float
    low: float
    high: float
    bills: int
    simulated: bool = False  # the emulator's, whose small model counts otherwise

    @property
    def basis(self) -> str:
        whose = " of the emulator's" if self.simulated else ""
        return f"estimated, corrected by {counted(self.bills, 'earlier bill')}{whose}"


def estimated_tokens(entry: Summary) -> int | None:
    """Of all epochs, once it is known how many they are."""
    if entry.estimated_tokens is None and entry.epoch_tokens and entry.epochs:
        return entry.epoch_tokens * entry.epochs
    return entry.estimated_tokens


def billed_tokens(entry: Summary) -> int | None:
    """Of all epochs. Whether the service's figure is that is not documented: the nearer one is."""
    billed, estimated, epochs = entry.billed_tokens, estimated_tokens(entry), entry.epochs or 1
    if not billed or not estimated:
        return billed
    return min((billed, billed * epochs), key=lambda tokens: abs(math.log(tokens / estimated)))


def billed_usd(entry: Summary) -> float | None:
    """At the price of the day it was submitted."""
    tokens = billed_tokens(entry)
    if tokens is None or entry.usd_per_million is None:
        return None
    return tokens * entry.usd_per_million / 1e6


def estimated_usd(entry: Summary) -> float | None:
    tokens = estimated_tokens(entry)
    if tokens is None or entry.usd_per_million is None:
        return None
    return tokens * entry.usd_per_million / 1e6


def correction(record: Recorded, base_model: object) -> Correction | None:
    """By what earlier tunings of a spec on this base model were billed."""
    of_base = [e for e in record.entries.values() if e.inputs.get("base_model") == base_model]
    ratios = [
        billed / estimated
        for entry in of_base
        if (estimated := estimated_tokens(entry)) and (billed := billed_tokens(entry))
    ]
    if not ratios:
        return None
    factor = median(ratios)
    low, high = min(ratios) / factor, max(ratios) / factor
    return Correction(
        factor,
        min(low, 1 - _LEAST_DOUBT),
        max(high, 1 + _LEAST_DOUBT),
        len(ratios),
        any(entry.stand_in for entry in of_base),
    )


def chosen_epochs(record: Recorded, cost: Estimate) -> str | None:
    """What the service made of epochs that were left to it, the last time."""
    left = [e for e in record.entries.values() if e.epochs and not _asked(e)]
    if cost.epochs is not None or not left:
        return None
    epochs = max(left, key=lambda entry: entry.created).epochs or 1
    return f"the service chose {counted(epochs, 'epoch')} the last time: {cost.at(epochs)}"


def _asked(entry: Summary) -> bool:
    given = entry.inputs.get("hyperparameters") or {}
    return isinstance(given.get("epochs"), int) or "steps" in given


def seconds(
    record: Recorded, base_model: object, tokens: int | None, usual: Mapping[object, float]
) -> float | None:
    """How long so many tokens take, as tunings of this spec did, else as usual."""
    pace = _paces(record.entries.values()).get(base_model) or usual.get(base_model)
    return None if tokens is None or pace is None else pace * tokens


def usual(recorded: Mapping[str, Recorded]) -> dict[object, float]:
    """Seconds a token by base model: the middle one of all tunings of it."""
    return _paces(entry for record in recorded.values() for entry in record.entries.values())


def _paces(entries: Iterable[Summary]) -> dict[object, float]:
    """By base model, from the start of each job to its end."""
    found: dict[object, list[float]] = {}
    for entry in entries:
        if entry.started and entry.finished and (tokens := billed_tokens(entry)):
            pace = _between(entry.started, entry.finished) / tokens
            found.setdefault(entry.inputs.get("base_model"), []).append(pace)
    return {base: median(paces) for base, paces in found.items()}


def _between(start: str, end: str) -> float:
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(passed.total_seconds(), 0.0)
