"""Submission: brings one tuning to the service exactly once, and finds it again whatever was lost.

intent    the entry is created as `submitting`, with its holder and a lease
lookup    a job with its labels is adopted: an earlier answer, or the ledger, may be lost
claim     of several names for one tuning, one may go on; the others reuse what it comes to
create    the one call that costs money; what became of it is known, or it is looked up
record    the job's name is written right after

Whoever finds a `submitting` entry that another holds looks its job up, and takes the submission
over only when the lease is over: then a create of the holder's can neither be sent nor turn up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from jobs.runner import identity
from jobs.runner.clock import steady
from jobs.runner.desired import Resolved
from jobs.runner.entry import Entry
from jobs.runner.errors import (
    Passing,
    Problem,
    Problems,
    Quota,
    RemoteError,
    Unreachable,
    VertuneError,
)
from jobs.runner.flight import Flight, Gone
from jobs.runner.identity import FINGERPRINT, SPEC, STACK
from jobs.runner.lease import Lease, holder
from jobs.runner.ledger import Ledger
from jobs.runner.plan import Change
from jobs.runner.sketch import sketch
from jobs.runner.storage import Changed
from jobs.runner.vertex import STAND_IN_LABEL, Job, Order, Vertex

# What the service calls a field, and what a spec calls it.
_FIELDS = {
    "epoch_count": "tuning.epochs",
    "learning_rate_multiplier": "tuning.learning_rate_multiplier",
    "adapter_size": "tuning.adapter_size",
    "training_dataset_uri": "dataset",
    "validation_dataset_uri": "dataset",
    "base_model": "base_model",
    "labels": "labels",
}

_TRIES = 5  # of a claim, against others who claim the same tuning

Said = Callable[[str, str], None]


class NoRoom(Quota):
    """The service takes no more tuning jobs for now; nothing was created."""


class Withdrawn(Gone):
    """Whoever began a submission gave it up before there was a job."""


class Elsewhere(VertuneError):
    """The same tuning is under way, or done, under another name; nothing was created."""

    def __init__(self, other: str) -> None:
        super().__init__(
            f"the same tuning was begun as {other} meanwhile; run this again, it is reused"
        )


@dataclass
class Submission:
    """Submits for one stack. `holder` is this process, for as long as it lives."""

    stack: str
    ledger: Ledger
    vertex: Vertex
    lease: Lease
    said: Said
    happened: Callable[..., None]  # Events.happened
    holder: str = field(default_factory=holder)
    # By location and stack, with the steady seconds of the listing.
    _listed: dict[tuple[str | None, str], tuple[float, list[Job]]] = field(default_factory=dict)

    def begin(self, change: Change, resolved: Resolved, uri: str) -> Flight:
        """Claim a tuning and submit it, or join whoever did; `uri` is of the uploaded examples.

        Raises Quota and other refusals, after which nothing stands in the ledger, and Withdrawn if
        whoever was joined gave it up.
        """
        intent = self._intent(change, resolved, uri)
        try:
            flight = self._claimed(change, intent, resolved)
        except Gone as error:
            raise self._withdrawn(intent) from error
        flight.change = change
        if flight.claimed:  # by this very call: what was begun before is looked up first
            self._send(flight)
        else:
            self.said(change.name, f"is being submitted by {flight.entry.holder}; waiting for it")
        return flight

    def settle(self, flight: Flight) -> bool:
        """One look at a submission that somebody began; False once it is nobody's any more.

        Raises Withdrawn if whoever began it gave it up, as for want of quota.
        """
        try:
            flight.read(self.ledger)
        except Gone as error:
            raise self._withdrawn(flight.entry) from error
        if flight.put_back:
            raise self._withdrawn(flight.entry)
        if flight.entry.state != "submitting":
            return True
        if job := self._started(flight.entry, self._list(flight.entry)):
            self._adopt(flight, job, "adopted")
            return True
        if (left := self.lease.left(flight.entry, self.ledger.clock)) > 0:
            self._wait(flight, left)
            return True
        return self._take_over(flight)

    def _withdrawn(self, entry: Entry) -> Withdrawn:
        """What is begun anew is looked up anew: a create of before may have come through since."""
        self._listed.clear()
        return Withdrawn(entry)

    def _wait(self, flight: Flight, seconds: float) -> None:
        who = "here" if flight.entry.holder == self.holder else f"by {flight.entry.holder}"
        if flight.told != who:
            flight.told = who
            self.said(
                flight.entry.name,
                f"was being submitted {who} and no job is seen yet;"
                f" if none turns up within {seconds:.0f} s, it is submitted anew",
            )

    def _take_over(self, flight: Flight) -> bool:
        wanted = flight.resolved.desired if flight.resolved else None
        if wanted is None or wanted.refusals:
            why = "; ".join(wanted.refusals.values()) if wanted else "is not wanted now"
            self._withdraw(flight, f"failed before; asked for again, and {why}")
            self.said(flight.entry.name, f"was never submitted, and {why}; withdrawn")
            return False
        try:
            self._hold(flight, holder=self.holder, location=wanted.location)
        except Changed:
            return True  # somebody else was faster; the next look shows how far they are
        try:
            self._send(flight, listed=True)
        except NoRoom as error:  # the entry stands, and after the lease it is tried again
            self.said(flight.entry.name, f"waits for quota: {error.message}")
        return True

    def _hold(self, flight: Flight, **update: object) -> None:
        """Begin the lease anew. Raises Changed if somebody else goes on with it."""
        now, seconds = self.ledger.clock.stamp(), self.lease.seconds
        flight.claim(self.ledger, leased=now, lease=seconds, **update)

    # The claim

    def _intent(self, change: Change, resolved: Resolved, uri: str) -> Entry:
        desired, now = change.desired, self.ledger.clock.stamp()
        assert desired is not None
        return Entry(
            name=change.name,
            fingerprint=change.fingerprint,
            stack=self.stack,
            state="submitting",
            inputs=dict(desired.inputs),
            created=now,
            leased=now,
            lease=self.lease.seconds,
            location=desired.location,
            holder=self.holder,
            pre_tuned_model=change.parent.tuned_model if change.parent else None,
            dataset_uri=uri,
            epochs=desired.estimate.epochs,
            estimated_tokens=desired.estimate.offline.billable_tokens,
            epoch_tokens=desired.estimate.offline.tokens,
            usd_per_million=desired.estimate.price.usd if desired.estimate.price else None,
            **of_spec(resolved),
        )

    def _claimed(self, change: Change, entry: Entry, resolved: Resolved) -> Flight:
        """A new entry, or over the failed one that is asked for again, or what another began."""
        before = change.source
        if before is not None and before.fingerprint == entry.fingerprint:
            return self._again(entry, resolved, before.job)
        claimed = steady()
        try:
            return Flight(entry, self.ledger.create(entry), resolved, claimed)
        except Changed:
            return self._joined(entry, resolved)

    def _again(self, entry: Entry, resolved: Resolved, job: str | None) -> Flight:
        """Over the failure that was planned with, not over one that came after it."""
        flight = self._joined(entry, resolved)
        if flight.entry.state not in ("failed", "cancelled") or flight.entry.job != job:
            return flight
        before = flight.entry
        tried = [*before.previous, *([before.job] if before.job else [])]
        flight.entry, flight.instead_of = entry.model_copy(update={"previous": tried}), before
        try:
            flight.claim(self.ledger)
        except Changed:
            flight.read(self.ledger)
        return flight

    def _joined(self, entry: Entry, resolved: Resolved) -> Flight:
        flight = Flight(entry, 0, resolved)
        flight.read(self.ledger)
        return flight

    # The create

    def _send(self, flight: Flight, listed: bool = False) -> None:
        if not listed and (job := self._started(flight.entry, self._known(flight.entry))):
            self._adopt(flight, job, "found")
            return
        if other := self._other(flight.entry):
            self._withdraw(flight, f"failed before; begun as {other} since")
            raise Elsewhere(other)
        if not self._renewed(flight):
            return
        try:
            there = self._at(flight.entry.location)
            job = there.submit(self._order(flight), self.lease.acting)
        except (Passing, Unreachable) as error:
            self.said(flight.entry.name, f"{error}\nwhether a job was created is looked up")
            flight.told = "here"
            return
        except RemoteError as error:
            refusal = _translated(error, flight)
            if isinstance(refusal, NoRoom):  # it is tried again, and may have come through
                self._listed.pop((flight.entry.location, flight.entry.stack), None)
            if not (listed and isinstance(refusal, NoRoom)):
                self._withdraw(flight, "failed before; asked for again, and refused by the service")
            raise refusal from error
        try:
            self._adopt(flight, job, "submitted")
        except (Passing, Quota, Unreachable) as error:
            self.said(flight.entry.name, f"{error}\n{job.name} is created, and found by its labels")
            flight.told = "here"

    def _renewed(self, flight: Flight) -> bool:
        """Whether the lease leaves the time to send; it is renewed where it does not."""
        # By the service's clock as well: a machine that was paused has missed its own.
        left = self.lease.left(flight.entry, self.ledger.clock)
        enough = left >= self.lease.acting + self.lease.settling
        if enough and steady() - flight.claimed < self.lease.sending:
            return True
        try:
            self._hold(flight)
        except Changed:
            return False
        return True

    def _other(self, entry: Entry) -> str | None:
        """Another name that has this tuning; None once this one alone may create the job.

        The claim is written after the entry: whoever finds it knows by the entry whether it stands.
        """
        generation = 0
        for _ in range(_TRIES):
            try:
                self.ledger.claims.claim(entry.fingerprint, entry.name, generation)
                return None
            except Changed:
                name, generation = self.ledger.claims.claimant(entry.fingerprint)
            if name not in (None, entry.name) and self._stands(str(name), entry.fingerprint):
                return name
        raise VertuneError(f"the claim on {entry.fingerprint[:12]} changes all the time; try again")

    def _stands(self, name: str, fingerprint: str) -> bool:
        found = self.ledger.read(name, fingerprint)
        return found is not None and (found[0].in_flight or found[0].state == "succeeded")

    def _withdraw(self, flight: Flight, why: str) -> None:
        """Nothing was created: what was there before comes back."""
        try:
            if flight.instead_of:
                flight.claim(self.ledger, **dict(flight.instead_of))
            elif flight.entry.previous:
                *previous, job = flight.entry.previous
                flight.claim(self.ledger, state="failed", job=job, previous=previous, error=why)
            else:
                self.ledger.remove(flight.entry, flight.generation)
        except Changed:
            return  # somebody else goes on with it

    def _order(self, flight: Flight) -> Order:
        entry, resolved = flight.entry, flight.resolved
        assert resolved is not None
        spec = resolved.file.spec
        return Order(
            name=f"{entry.name}-{entry.fingerprint[:8]}",
            base_model=entry.pre_tuned_model or spec.base_model,
            train_uri=entry.dataset_uri,
            validation_uri=entry.validation_uri,
            epochs=entry.epochs,
            learning_rate_multiplier=spec.tuning.learning_rate_multiplier,
            adapter_size=spec.tuning.adapter_size,
            labels={**spec.labels, **labels(entry)},
            kms_key=resolved.desired.kms_key if resolved.desired else None,
        )

    # The lookup and the record

    def _at(self, location: str | None) -> Vertex:
        """Where an entry was or is to be submitted, whatever the stack's region is by now."""
        return self.vertex.at(location) if location else self.vertex

    def _list(self, entry: Entry) -> list[Job]:
        """Of the stack that began it: a bucket, and what is under way in it, may change hands."""
        began = steady()
        found = self._at(entry.location).jobs({STACK: entry.stack})
        self._listed[entry.location, entry.stack] = began, found
        return found

    def _known(self, entry: Entry) -> list[Job]:
        """The jobs there were a moment ago: to list them for each of hundreds would take hours."""
        listed, found = self._listed.get((entry.location, entry.stack), (float("-inf"), []))
        return found if steady() - listed < self.lease.sending else self._list(entry)

    def _started(self, entry: Entry, jobs: Iterable[Job]) -> Job | None:
        """The job that an entry's submission created, found by its labels; the best of several.

        Or another name's for the same tuning: the spec was renamed, and that entry is lost.
        """
        tuning = {key: value for key, value in labels(entry).items() if key != SPEC}
        same = [
            job
            for job in jobs
            if tuning.items() <= job.labels.items()
            and job.name not in entry.previous
            and not (job.labels.get(SPEC) != entry.name and _in_vain(job))
            and self._lasts(job)
        ]
        best = sorted(same, key=lambda job: (_in_vain(job), job.labels.get(SPEC) != entry.name))
        return best[0] if best else None

    def _lasts(self, job: Job) -> bool:
        """Jobs stay in the list for ever, also those whose tuned model was deleted since."""
        return not job.succeeded or self.vertex.has(job.tuned_model or "")

    def _adopt(self, flight: Flight, job: Job, how: str) -> None:
        flight.record(
            self.ledger, state="submitted", job=job.name, stand_in=job.labels.get(STAND_IN_LABEL)
        )
        if flight.entry.job == job.name:
            self.said(flight.entry.name, f"{how} {job.name}")
            event = "submitted" if how == "submitted" else "adopted"
            self.happened(event, flight.entry.name, job=job.name)
            return
        said = f"{flight.entry.job} was recorded meanwhile; the second one, {job.name}, "
        try:
            self.vertex.cancel(job.name)
            self.said(flight.entry.name, f"{said}is cancelled")
        except RemoteError as error:
            self.said(flight.entry.name, f"{said}cannot be cancelled: {error}")


def of_spec(resolved: Resolved) -> dict[str, Any]:
    """What an entry says of the spec and its data."""
    train, spec = resolved.dataset.train, resolved.file.spec
    test = resolved.dataset.splits.get("test")
    return {
        "spec": resolved.file.path,
        "labels": dict(spec.labels),
        "splits": {name: split.examples for name, split in resolved.dataset.splits.items()},
        "tested": sketch(test) if test else [],
        "prompt": {
            "system": train.prompt.system or spec.instructions,
            "prefix": train.prompt.prefix,
            "suffix": train.prompt.suffix,
            "longest_answer": str(train.longest_answer),
        },
    }


def labels(entry: Entry) -> dict[str, str]:
    """What a job is found again by."""
    return {
        SPEC: entry.name,
        FINGERPRINT: identity.label(entry.fingerprint),
        STACK: entry.stack,
    }


def _in_vain(job: Job) -> bool:
    return job.done and not job.succeeded


def _translated(error: RemoteError, flight: Flight) -> VertuneError:
    """The service's complaints about fields, at the lines of the spec they came from."""
    assert flight.resolved is not None
    file = flight.resolved.file
    if isinstance(error, Quota):
        return NoRoom(error.status, error.reason, error.message, error.doing)
    found: list[Problem] = []
    for field_, why in error.violations:
        last = field_.rpartition(".")[2]
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in last)
        if snake not in _FIELDS:
            return error
        found.append(file.problem(_FIELDS[snake], f"{why} (the service's answer to the order)"))
    return Problems(found) if found else error
