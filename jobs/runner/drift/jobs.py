"""Jobs: recorded ones that are gone, have gone on or are labelled otherwise, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jobs.runner import identity
from jobs.runner.drift.difference import Difference, Kind
from jobs.runner.drift.sight import Sight, key
from jobs.runner.entry import Entry, Summary
from jobs.runner.identity import FINGERPRINT, SPEC, STACK

if TYPE_CHECKING:
    from jobs.runner.vertex import Job


_LONG = timedelta(days=1)


def of_jobs(seen: Sight) -> Iterator[Difference]:
    for entry, served in seen.entries():
        if not entry.job:
            continue
        job = seen.jobs.get(key(entry.job))
        if job is None:
            yield from _missing(entry, served)
        else:
            yield from _otherwise(entry, job)
            yield from _long(seen, entry, job)
            yield from _labels(entry, job)
    yield from _unknown(seen)


def _missing(entry: Summary, served: bool) -> Iterator[Difference]:
    what = "Vertex AI has no such job"
    if entry.in_flight:
        means = "it is recorded as under way, and never ends"
        advice = f"`vertune apply` records that it failed, then {_retry(entry)}"
        yield Difference(Kind.JOB_MISSING, entry.name, str(entry.job), what, means, advice)
    elif served and entry.state == "succeeded":
        means = "where the served tuned model comes from cannot be shown"
        advice = "restore an earlier version of the ledger's object, if it was edited"
        yield Difference(Kind.JOB_MISSING, entry.name, str(entry.job), what, means, advice)


def _retry(entry: Summary) -> str:
    return f"`vertune apply --retry {entry.name}` tunes it again"


def _otherwise(entry: Summary, job: Job) -> Iterator[Difference]:
    said = job.state.lower().replace("_", " ")
    what = f"is recorded as {entry.state}, and Vertex AI says {said}"
    if why := job.error:
        what += f": {why}"
    if entry.in_flight and job.done:
        means = "nobody has recorded how it ended"
        yield Difference(
            Kind.JOB_ENDED, entry.name, job.name, what, means, "`vertune apply` records it"
        )
    elif found := _contradicted(entry, job):
        yield Difference(Kind.JOB_DIFFERS, entry.name, job.name, what, *found)


def _contradicted(entry: Summary, job: Job) -> tuple[str, str] | None:
    """What it means that an end that is recorded was not the end, and what to do."""
    if entry.in_flight:
        return None
    if entry.state == "succeeded":
        mend = "restore an earlier version of the ledger's object, if it was edited"
        return None if job.succeeded else ("what is recorded did not happen", mend)
    if job.succeeded:
        adopt = f"`vertune import {entry.name} --job {job.name}` adopts it, without a new job"
        return "a tuned model is paid for and not used", adopt
    if not job.done:
        return "it goes on, and is paid for", f"`vertune cancel {entry.name}`, or wait for its end"
    return None


def _long(seen: Sight, entry: Summary, job: Job) -> Iterator[Difference]:
    """Tuning takes hours; jobs were seen that stayed under way without a single step."""
    since = job.started or job.created or entry.created
    if not entry.in_flight or job.done or seen.now - datetime.fromisoformat(since) < _LONG:
        return
    yield Difference(
        Kind.JOB_LONG,
        entry.name,
        job.name,
        f"is {job.state.lower()} since {since[:16].replace('T', ' ')}, for more than a day",
        "what waits for room is held up, and it may never end",
        f"`vertune status --live` says how far it is, `vertune cancel {entry.name}` ends it",
    )


def _labels(entry: Summary, job: Job) -> Iterator[Difference]:
    """Two names may share a job, so whose it is said to be is not compared.

    What was taken over from elsewhere never had labels, and has ended.
    """
    ours = {FINGERPRINT: identity.label(entry.fingerprint), STACK: entry.stack}
    found = {name: job.labels.get(name) for name in ours}
    if found == ours or (set(found.values()) == {None} and not entry.in_flight):
        return
    yield Difference(
        Kind.LABELS,
        entry.name,
        job.name,
        f"has {_shown(found)}, not {_shown(ours)}",
        "if the ledger's entry is lost, this job is not found again and is paid for twice",
        "restore an earlier version of the ledger's object, if it was edited",
    )


def _shown(labels: dict[str, str | None] | dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items() if value) or "no labels"


# Jobs that nothing records


def unknown(seen: Sight) -> Iterator[Job]:
    """Jobs with this stack's labels that no entry names, unless they ended in vain."""
    known = {key(entry.job) for entry, _ in seen.entries()}
    for body in seen.bodies.values():
        known |= {key(job) for job in body.previous} if isinstance(body, Entry) else set()
    for name, job in sorted(seen.jobs.items()):
        lasts = not job.done or (job.succeeded and key(job.tuned_model) in seen.models)
        if job.labels.get(STACK) == seen.stack and name not in known and lasts:
            yield job


def _unknown(seen: Sight) -> Iterator[Difference]:
    for job in unknown(seen):
        name, fingerprint = job.labels.get(SPEC, ""), job.labels.get(FINGERPRINT, "")
        entry = _entry_of(seen, name, fingerprint)
        if entry is None:
            yield _lost(seen, job, name, fingerprint)
        elif entry.state != "submitting":
            yield _second(entry, job, there=key(entry.job) in seen.jobs)


def _entry_of(seen: Sight, name: str, fingerprint: str) -> Summary | None:
    entries = seen.recorded[name].entries if name in seen.recorded else {}
    found = (entry for key, entry in entries.items() if identity.label(key) == fingerprint)
    return next(found, None)


def _lost(seen: Sight, job: Job, name: str, fingerprint: str) -> Difference:
    if seen.asked(name, fingerprint):
        advice = "`vertune apply` finds it by its labels and records it; nothing is paid again"
    else:
        advice = f"`vertune import {name or 'NAME'} --job {job.name}` adopts it, without a new job"
    state = "has succeeded" if job.done else "is under way"
    return Difference(
        Kind.LOST,
        name,
        job.name,
        f"{state} for {name or 'no name'}, fingerprint {fingerprint[:12] or 'unknown'},"
        " of which the ledger knows nothing",
        "a tuning that is paid for is not used",
        advice,
    )


def _second(entry: Summary, job: Job, *, there: bool) -> Difference:
    """`there` is whether the job that is recorded is."""
    means = "it is a second job for the same tuning, paid for and not used"
    if there:
        gone = "delete its tuned model" if job.done else "cancel it"
        advice = f"{gone} in the console"
    elif entry.state == "succeeded":
        advice = "restore an earlier version of the ledger's object, if it was edited"
    else:
        means = "a tuning that is paid for is not used"
        advice = f"`vertune apply --retry {entry.name}` adopts it, without a new job"
    return Difference(
        Kind.JOB_UNKNOWN,
        entry.name,
        job.name,
        f"has the labels of a tuning that is recorded with {entry.job or 'no job'}",
        means,
        advice,
    )
