"""Cancellation: asks the service to end what is in flight, and records how it really ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobs.runner.document import did_you_mean
from jobs.runner.entry import Entry, Recorded, Summary
from jobs.runner.errors import JobMissing, RemoteError, Unreachable, VertuneError
from jobs.runner.flight import Flight
from jobs.runner.lease import Lease
from jobs.runner.ledger import Ledger
from jobs.runner.serving import ending
from jobs.runner.storage import Changed
from jobs.runner.submission import labels
from jobs.runner.vertex import STAND_IN_LABEL, Job, Vertex

_ASKED = "CANCELLING"


def to_cancel(recorded: Mapping[str, Recorded], name: str) -> list[Summary]:
    """What is in flight under a name. Raises VertuneError if nothing was or is to be cancelled."""
    if name not in recorded:
        raise VertuneError(f"nothing is recorded as {name}{did_you_mean(name, recorded)}")
    entries = sorted(recorded[name].entries.values(), key=lambda one: one.created)
    if found := [entry for entry in entries if entry.in_flight]:
        return found
    if entries and entries[-1].state == "cancelled":
        return []
    how = f"; the newest is {entries[-1].state}" if entries else ""
    raise VertuneError(f"nothing is in flight as {name}{how}, see `vertune status`")


@dataclass(frozen=True)
class Cancellation:
    """Best effort: a job that is nearly done may succeed all the same."""

    ledger: Ledger
    vertex: Vertex
    lease: Lease
    said: Callable[[str, str], None]
    poll_seconds: float
    seconds: float  # how long the end of a job is waited for

    def cancel(self, one: Summary) -> Entry:
        """The entry as it stands then; in flight if the job did not end in time."""
        flight = self._flight(one)
        if flight.entry.state == "submitting":
            self._settle(flight)
        if flight.entry.state == "submitted":
            self._end(flight)
        return flight.entry

    def _flight(self, one: Summary) -> Flight:
        read = self.ledger.read(one.name, one.fingerprint)
        if read is None:
            raise VertuneError(f"the ledger's entry of {one.name} is gone; see `vertune status`")
        return Flight(*read, None)

    # What may have no job

    def _settle(self, flight: Flight) -> None:
        """Find the job of a submission, or make sure that there will be none."""
        entry = flight.entry
        there = self.vertex.at(entry.location) if entry.location else self.vertex
        found = [j for j in there.jobs(labels(entry)) if j.name not in entry.previous]
        if job := min(found, key=lambda job: job.done, default=None):
            stand_in = job.labels.get(STAND_IN_LABEL)
            flight.record(self.ledger, state="submitted", job=job.name, stand_in=stand_in)
            return
        if (left := self.lease.left(entry, self.ledger.clock)) > 0:
            raise VertuneError(
                f"{entry.name} is being submitted by {entry.holder} and has no job yet that could"
                f" be cancelled; run this again in {left:.0f} s"
            )
        self._never(flight)

    def _never(self, flight: Flight) -> None:
        name, now = flight.entry.name, self.ledger.clock.stamp()
        try:
            flight.claim(
                self.ledger, state="cancelled", finished=now, error="cancelled; it never had a job"
            )
        except Changed:
            raise VertuneError(f"somebody else goes on with {name} now; run this again") from None

    # What has one

    def _end(self, flight: Flight) -> None:
        name = flight.entry.job or ""
        try:
            job = self._asked(flight.entry.name, name)
        except JobMissing as error:
            now = self.ledger.clock.stamp()
            flight.record(self.ledger, state="failed", error=str(error), finished=now)
            return
        deadline = time.monotonic() + self.seconds
        while not job.done and time.monotonic() < deadline:
            time.sleep(self.poll_seconds)
            job = self.vertex.job(name)
        if job.done:
            flight.record(self.ledger, **ending(job, self.ledger.clock.stamp()))

    def _asked(self, name: str, job: str) -> Job:
        """The job once the service was asked; of an answer that was lost, the job itself tells."""
        found = self.vertex.job(job)
        if found.done or found.state == _ASKED:
            return found
        try:
            self.vertex.cancel(job)
        except (RemoteError, Unreachable):
            found = self.vertex.job(job)
            if not found.done and found.state != _ASKED:
                raise
            return found
        self.said(name, f"asked the service to cancel {job}")
        return self.vertex.job(job)
