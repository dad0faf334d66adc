"""Report of where everything stands: a block a tuning, a table, JSON, or lines of what changed.

Of each tuning `-o json` has all of the ledger's summary (null where nothing is recorded), and:

served       whether it is the one that its name serves
sync         in sync, out of sync, forgotten, foreign or unknown; `sync_reason` says why
health       as jobs/runner/health.py lists them; `detail` says more, `advice` what to do
progress     step, steps, percent, remaining_seconds, of a job that `--live` asked for
billed_usd   what was billed, at the price of the day it was submitted
retires      the day its base model is retired, if it is served on Google Cloud
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from jobs.runner import billing, report, tables
from jobs.runner.entry import Summary
from jobs.runner.errors import plain
from jobs.runner.estimate import usd
from jobs.runner.health import Fares, Health, Progress
from jobs.runner.report_price import duration
from jobs.runner.status import Status

_COLUMNS = (
    "name",
    "health",
    "sync",
    "score",
    "tuned model",
    "fingerprint",
    "since",
    "retires",
    "next",
)
_PAST = ("name", "fingerprint", "health", "score", "begun", "ended", "tuned model")


def rows(found: Iterable[Status]) -> list[dict[str, Any]]:
    return [_row(one) for one in found]


def _row(one: Status) -> dict[str, Any]:
    fields = [key for key in Summary.model_fields if key not in ("name", "format")]
    recorded = one.entry.model_dump() if one.entry else {}
    return {
        "name": one.name,
        "served": one.served,
        **{key: recorded.get(key) for key in fields},
        "sync": one.sync.value,
        "sync_reason": one.why,
        "health": one.fares.health.value,
        "detail": one.fares.detail,
        "advice": one.fares.advice,
        "progress": _numbers(one.fares.progress),
        "retires": one.fares.retires,
        "billed_usd": billing.billed_usd(one.entry) if one.entry else None,
    }


def _numbers(progress: Progress | None) -> Mapping[str, Any] | None:
    return None if progress is None else asdict(progress) | {"percent": progress.percent}


def text(found: Iterable[Status]) -> str:
    return "\n".join(line for one in found for line in _block(one))


def _block(one: Status) -> list[str]:
    entry = one.entry
    known: dict[str, str | None] = {"sync": _sync(one)}
    if entry is not None:
        known |= {
            "tuned model": _tuned_model(entry) if entry.tuned_model else None,
            "endpoint": entry.endpoint,
            "copy of": str(entry.copied) if entry.copied else None,
            "job": None if entry.tuned_model else entry.job or "none yet",
            "since": f"{_since(entry)}, fingerprint {entry.fingerprint[:12]}",
            "tokens": _tokens(entry),
            "retires": f"{one.fares.retires}, with its base model" if one.fares.retires else None,
        }
    known["next"] = one.fares.advice
    tuned = entry if entry and entry.state == "succeeded" else None
    score = f", {report.score_text(tuned.score)}" if tuned else ""
    return [plain(f"{one.name}: {said(one.fares)}{score}"), *report.facts(known)]


def _tokens(entry: Summary) -> str | None:
    """What was estimated beside what was billed."""
    said = []
    for tokens, usd_, how in (
        (billing.estimated_tokens(entry), billing.estimated_usd(entry), "estimated"),
        (billing.billed_tokens(entry), billing.billed_usd(entry), "billed"),
    ):
        if tokens is not None:
            said.append(f"{tokens:,} {how}" + ("" if usd_ is None else f" ({usd(usd_)})"))
    where = ", on Google Cloud" if entry.stand_in else ""
    return ", ".join(said) + where if said else None


def said(fares: Fares) -> str:
    """What it is, why, and how far."""
    between = " " if fares.health is Health.SUBMITTING else ": "
    said = fares.health.value + (f"{between}{fares.detail}" if fares.detail else "")
    return f"{said}, {progress(fares.progress)}" if fares.progress else said


def progress(found: Progress) -> str:
    """Such as: step 30 of 120 (25 %), about 12 minutes left."""
    if found.steps is None:
        return f"step {found.step}"
    left = found.remaining_seconds
    said = "" if left is None else f", about {duration(left)} left"
    return f"step {found.step} of {found.steps} ({found.percent} %){said}"


def _sync(one: Status) -> str:
    return f"{one.sync.value}: {one.why}" if one.why else one.sync.value


def _tuned_model(entry: Summary | None) -> str:
    if entry is None or entry.tuned_model is None:
        return "-"
    return entry.tuned_model + (" (simulated)" if entry.stand_in else "")


def _since(entry: Summary | None) -> str:
    return _day(entry.finished or entry.created) if entry else "-"


def _day(stamp: str | None) -> str:
    return f"{stamp[:16].replace('T', ' ')} UTC" if stamp else "-"


def markdown(found: Iterable[Status]) -> str:
    return tables.markdown(_COLUMNS, [_cells(one) for one in found])


def _cells(one: Status) -> tuple[str, ...]:
    """One row of a table."""
    entry = one.entry
    return (
        one.name,
        said(one.fares),
        _sync(one),
        report.score_text(entry.score) if entry else "-",
        _tuned_model(entry),
        entry.fingerprint[:12] if entry else "-",
        _since(entry),
        str(one.fares.retires or "-"),
        one.fares.advice or "-",
    )


def history(found: Iterable[Status], *, markdown: bool = False) -> str:
    """Every tuning of each name as one row."""
    rows = [_past(one, one.entry) for one in found if one.entry]
    return report.table(_PAST, rows, markdown=markdown)


def _past(one: Status, entry: Summary) -> tuple[str, ...]:
    return (
        one.name,
        entry.fingerprint[:12],
        one.fares.health.value,
        report.score_text(entry.score) if entry.score else "-",
        _day(entry.created),
        _day(entry.finished),
        _tuned_model(entry),
    )


def line(one: Status) -> str:
    """What is told of a change where nobody watches a table; the time that remains is left out."""
    fares = one.fares
    if fares.progress:
        fares = replace(fares, progress=replace(fares.progress, remaining_seconds=None))
    return plain(f"{one.name}: {said(fares)} ({one.sync.value})")
