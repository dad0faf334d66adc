"""Report of what tunings take: tokens, dollars and time, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobs.runner.estimate import ESTIMATED, counted, usd

if TYPE_CHECKING:
    from jobs.runner.estimate import Estimate
    from jobs.runner.spending import Spent
    from jobs.runner.stack import Settings

_ELSEWHERE = " on Google Cloud, nothing here"


def epochs(cost: Estimate) -> str:
    return counted(cost.epochs, "epoch") if cost.epochs else "epochs left to the service"


def tokens(cost: Estimate) -> str:
    said = f"about {cost.billable_tokens or cost.tokens:,} tokens"
    if cost.epochs is None:
        said += " an epoch"
    if cost.low is None or cost.high is None:
        return said if cost.basis == ESTIMATED else f"{said} ({cost.basis})"
    low, high = (number * (cost.epochs or 1) for number in (cost.low, cost.high))
    return f"{said} ({cost.basis}: {low:,} to {high:,})"


def tokens_json(cost: Estimate) -> dict[str, Any]:
    """Of one epoch: how many, between which two numbers if that is not certain, and by whom."""
    return {
        "an_epoch": cost.tokens,
        "low": cost.low,
        "high": cost.high,
        "basis": cost.basis,
        "usd_range": cost.usd_range,
        "seconds": cost.seconds,
    }


def priced(cost: Estimate, simulated: bool) -> str:
    low, high = cost.usd_range or (0.0, 0.0)
    between = f" (${low:,.2f} to ${high:,.2f})" if high >= 0.01 else ""
    rate = f", at {cost.price}" if cost.price else ""
    where = _ELSEWHERE if simulated else ""
    return f"price {price(cost.price_usd, False)}{between}{where}{rate}"


def price(usd_or_unknown: float | None, simulated: bool) -> str:
    said = "unknown" if usd_or_unknown is None else usd(usd_or_unknown)
    return said + _ELSEWHERE if simulated else said


def time(cost: Estimate) -> Iterator[str]:
    if cost.seconds is not None:
        yield f"takes about {duration(cost.seconds)}, as earlier tunings did"


def duration(seconds: float) -> str:
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    minutes = round(seconds / 60)
    return counted(minutes, "minute") if minutes < 90 else counted(round(minutes / 60), "hour")


def spent_text(spent: Spent, settings: Settings) -> str:
    """Such as: $3.10 billed, $0.40 under way; the month's cap is $100 (vertune:monthlyUsd)."""
    said = f"${spent.billed:,.2f} billed"
    if spent.under_way:
        said += f", ${spent.under_way:,.2f} under way"
    if spent.unknown:
        said += f", {counted(spent.unknown, 'tuning')} of unknown cost"
    if settings.emulator:
        said += _ELSEWHERE
    cap = settings.monthly_usd
    capped = f"the month's cap is ${cap:,}" if cap else "no cap of a month is set"
    return f"{said}; {capped} (vertune:monthlyUsd)"
