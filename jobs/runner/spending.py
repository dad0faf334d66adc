"""Spending: what a stack's tunings cost in a month, by what was billed or is expected; pure.

billed      of what has ended with a bill, in the month it ended
under way   what is estimated of what has not ended yet
unknown     tunings that ended or run, and of which neither a bill nor an estimate has a price
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from jobs.runner.billing import billed_usd, estimated_usd
from jobs.runner.entry import Recorded, Summary


@dataclass(frozen=True)
class Spent:
    """In US dollars; what is unknown is counted, as it is not nothing."""

    billed: float = 0.0
    under_way: float = 0.0
    unknown: int = 0

    @property
    def usd(self) -> float:
        return self.billed + self.under_way

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.billed + other.billed,
            self.under_way + other.under_way,
            self.unknown + other.unknown,
        )


def month_of(now: datetime) -> str:
    return f"{now:%Y-%m}"


def in_month(recorded: Mapping[str, Recorded], month: str) -> list[Summary]:
    """The tunings that count for a month such as 2026-11; of several names with one job, one."""
    found: dict[str, Summary] = {}
    for name, record in sorted(recorded.items()):
        for entry in sorted(record.entries.values(), key=lambda e: (e.created, e.fingerprint)):
            if (entry.finished or entry.created).startswith(month) and not _never_ran(entry):
                found.setdefault(entry.job or f"{name} {entry.fingerprint}", entry)
    return list(found.values())


def _never_ran(entry: Summary) -> bool:
    return not entry.in_flight and entry.job is None


def spent(entry: Summary) -> Spent:
    """A job that ended without a figure is of unknown cost, as are the tries before a retry."""
    usd = estimated_usd(entry) if entry.in_flight else billed_usd(entry)
    before = len(entry.previous)
    if usd is None:
        return Spent(unknown=before + 1)
    return Spent(0.0, usd, before) if entry.in_flight else Spent(usd, 0.0, before)


def total(entries: Iterable[Summary]) -> Spent:
    return sum(map(spent, entries), Spent())


def this_month(recorded: Mapping[str, Recorded], now: datetime) -> Spent:
    return total(in_month(recorded, month_of(now)))


def by_label(
    entries: Iterable[Summary], labels: Mapping[str, Mapping[str, str]], label: str
) -> dict[str, Spent]:
    """By the value of a label; `labels` of each tuning by its fingerprint."""
    found: dict[str, Spent] = {}
    for entry in entries:
        value = labels.get(entry.fingerprint, {}).get(label, "")
        found[value] = found.get(value, Spent()) + spent(entry)
    return dict(sorted(found.items()))
