"""Health: how one recorded tuning fares, by the ledger and by Vertex AI where it was asked; pure.

entry      | Vertex AI says            | health
-----------|---------------------------|------------------
submitting |                           | being submitted, by whom and since when
submitted  | was not asked             | submitted
           | waits for quota           | waiting for quota
           | queued, pending           | queued
           | running, …                | running, with step, percentage and the time that remains
           | has no such job           | missing
           | has ended                 | as below, to be recorded
failed     |                           | failed, with the service's reason
cancelled  |                           | cancelled
succeeded  |                           | rolled back, if an earlier one is served in its place
           |                           | below its mark, if it is the one that the spec asks for
           |                           | served, if worse than its base model without a mark
           |                           |    with that told; expiring within 90 days of its base
           |                           |    model's retirement, then retired
           |                           | tuned, not served
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING

from jobs.runner.catalog import NOTICE
from jobs.runner.plan import Desired
from jobs.runner.shortfall import ADVICE, asked_for, worse

if TYPE_CHECKING:
    from jobs.runner.catalog import BaseModelFacts
    from jobs.runner.ledger import Recorded, Summary
    from jobs.runner.vertex import Job


class Health(Enum):
    QUEUED = "queued"
    SUBMITTING = "being submitted"
    SUBMITTED = "submitted"
    WAITING = "waiting for quota"
    RUNNING = "running"
    TUNED = "tuned, not served"
    SERVED = "served"
    BELOW = "below its mark"
    ROLLED_BACK = "rolled back"
    EXPIRING = "expiring"
    RETIRED = "retired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MISSING = "missing"
    UNKNOWN = "unknown"  # nothing is recorded, and its spec cannot be read


@dataclass(frozen=True)
class Progress:
    """How far a job is; what the service does not tell is None."""

    step: int
    steps: int | None
    remaining_seconds: float | None = None

    @property
    def percent(self) -> int | None:
        return 100 * self.step // self.steps if self.steps else None


@dataclass(frozen=True)
class Fares:
    """How a tuning fares: more of it in `detail`, and in `advice` what a person can do."""

    health: Health
    detail: str | None = None
    advice: str | None = None
    progress: Progress | None = None
    retires: date | None = None
    under_way: bool = False  # it changes by itself


@dataclass(frozen=True)
class Observed:
    """What Vertex AI said, by job's name (None: it has no such job), and what the time is."""

    jobs: Mapping[str, Job | None]
    now: datetime


def health(
    entry: Summary,
    record: Recorded,
    wanted: Desired | None,
    observed: Observed,
    facts: BaseModelFacts | None,
) -> Fares:
    """`wanted` is what the spec of its name asks for, `facts` are of its base model."""
    if entry.state == "submitting":
        return _submitting(entry)
    if entry.state == "submitted":
        return _submitted(entry, observed)
    if entry.state == "failed":
        return _in_vain(Health.FAILED, entry, wanted)
    if entry.state == "cancelled":
        return _in_vain(Health.CANCELLED, entry, wanted)
    return _tuned(entry, record, wanted, observed.now.date(), facts)


def _submitting(entry: Summary) -> Fares:
    since = f"since {(entry.leased or entry.created)[:16].replace('T', ' ')} UTC"
    detail = f"by {entry.holder} {since}" if entry.holder else since
    return Fares(Health.SUBMITTING, detail, under_way=True)


def _submitted(entry: Summary, observed: Observed) -> Fares:
    if entry.job is None or entry.job not in observed.jobs:
        return Fares(Health.SUBMITTED, advice="`--live` says how far it is", under_way=True)
    job = observed.jobs[entry.job]
    if job is None:
        advice = "`vertune apply` records that it failed"
        return Fares(Health.MISSING, "Vertex AI has no such job", advice)
    return _ended(job) if job.done else _running(job, observed.now)


def _ended(job: Job) -> Fares:
    advice = "`vertune apply` records it"
    if job.succeeded:
        return Fares(Health.TUNED, "the job has succeeded", advice)
    if job.state == "CANCELLED":
        return Fares(Health.CANCELLED, job.error, advice)
    return Fares(Health.FAILED, job.error or f"the service ended it as {job.state}", advice)


def _running(job: Job, now: datetime) -> Fares:
    detail = (job.detail or job.state).lower().replace("_", " ")
    if job.detail == "WAITING_FOR_QUOTA":
        return Fares(Health.WAITING, "it begins once others have ended", under_way=True)
    if job.state in ("QUEUED", "PENDING"):
        return Fares(Health.QUEUED, f"at the service: {detail}", under_way=True)
    return Fares(Health.RUNNING, detail, progress=_progress(job, now), under_way=True)


def _progress(job: Job, now: datetime) -> Progress | None:
    """The steps that remain take as long as those that are done did."""
    if job.step is None:
        return None
    if not (job.step and job.steps and job.started):
        return Progress(job.step, job.steps)
    passed = (now - datetime.fromisoformat(job.started)).total_seconds()
    return Progress(job.step, job.steps, max(0.0, passed / job.step * (job.steps - job.step)))


def _in_vain(how: Health, entry: Summary, wanted: Desired | None) -> Fares:
    if wanted is None or wanted.pin or wanted.fingerprint != entry.fingerprint:
        return Fares(how, entry.error)
    first = "mend the cause, then " if how is Health.FAILED else ""
    return Fares(how, entry.error, f"{first}`vertune apply --retry {entry.name}` tunes it again")


def _tuned(
    entry: Summary,
    record: Recorded,
    wanted: Desired | None,
    today: date,
    facts: BaseModelFacts | None,
) -> Fares:
    served = record.active == entry.fingerprint
    if record.instead_of == entry.fingerprint:
        return Fares(Health.ROLLED_BACK, "an earlier one is served in its place")
    if wanted and asked_for(wanted, entry) and not entry.passes(wanted.at_least):
        return _below(entry, wanted, served)
    if not served:
        return Fares(Health.TUNED)
    fares = _served(wanted, entry)
    # What plays a base model on one machine is never retired.
    return fares if facts is None or entry.stand_in else _serving(fares, facts, today, entry)


def _served(wanted: Desired | None, entry: Summary) -> Fares:
    less = worse(entry.score, wanted.at_least) if wanted else None
    return Fares(Health.SERVED, less, ADVICE if less else None)


def _below(entry: Summary, wanted: Desired, served: bool) -> Fares:
    found = f"reached {entry.score.tuned:.3f}" if entry.score else "not scored"
    how = "served all the same" if served else "not served"
    advice = "change its data or its tuning, or lower evaluation.at_least"
    return Fares(Health.BELOW, f"{found}, its mark is {wanted.at_least:g}; {how}", advice)


def _serving(fares: Fares, facts: BaseModelFacts, today: date, entry: Summary) -> Fares:
    fares = replace(fares, retires=facts.retires)
    name, left = entry.inputs.get("base_model"), facts.retires - today
    if left > NOTICE:
        return fares
    advice = "tune on another base model; `vertune models` lists them"
    if facts.retired(today):
        said, how = f"{name} was retired on {facts.retires}", Health.RETIRED
    else:
        how = Health.EXPIRING
        said = f"served; {name} retires on {facts.retires}, {left.days} days from now"
    return replace(fares, health=how, detail=said, advice=advice)
