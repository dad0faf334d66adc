"""Apply: carries out a plan so that each tuning is submitted once, whatever dies in between.

A step is one remote call with the record written right after it; waiting is apart from acting.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ParamSpec, Protocol

from jobs.runner import identity
from jobs.runner.desired import Resolved
from jobs.runner.errors import JobMissing, RemoteError, Unreachable, VertuneError
from jobs.runner.evaluate import evaluate
from jobs.runner.ledger import Entry, Ledger, Recorded
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.storage import Changed
from jobs.runner.upload import upload
from jobs.runner.vertex import STAND_IN_LABEL, Job, Order, Vertex

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

P = ParamSpec("P")

# How long a job may take to show in the service's list after it was created.
SETTLE_SECONDS = 60.0


class Watcher(Protocol):
    """Who is told what happens; the report shows it."""

    def said(self, name: str, text: str) -> None: ...

    def moved(self, name: str, job: Job) -> None: ...

    def answered(self, name: str, total: int) -> None: ...


@dataclass(frozen=True)
class Tools:
    """What an apply works with."""

    stack: str
    bucket: Bucket
    ledger: Ledger
    vertex: Vertex
    watcher: Watcher
    at_once: int  # jobs in flight
    poll_seconds: float
    settle_seconds: float = SETTLE_SECONDS
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass
class Outcome:
    """What became of the names an apply dealt with; `failed` has the reason by name."""

    tuned: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass
class _Flight:
    """An entry whose job is under way, in the generation this apply wrote or read."""

    entry: Entry
    generation: int
    resolved: Resolved | None


def apply(
    tools: Tools, plan: Plan, resolved: Mapping[str, Resolved], recorded: Mapping[str, Recorded]
) -> Outcome:
    """Carry out the plan, blocked changes apart; wait until all that is in flight has ended."""
    return _Apply(tools, resolved, recorded).run(plan)


class _Apply:
    def __init__(
        self,
        tools: Tools,
        resolved: Mapping[str, Resolved],
        recorded: Mapping[str, Recorded],
    ) -> None:
        self._tools, self._resolved, self._recorded = tools, resolved, recorded
        self._outcome = Outcome()
        self._flights: list[_Flight] = []

    def run(self, plan: Plan) -> Outcome:
        waiting: list[Change] = []
        for change in plan.changes:
            if change.action.tunes:
                waiting.append(change)
            else:
                self._guard(change.name, self._quick, change)
        while (waiting or self._flights) and not self._tools.stop.is_set():
            while waiting and len(self._flights) < self._tools.at_once:
                change = waiting.pop(0)
                self._guard(change.name, self._submit, change)
            self._look()
            if self._flights:
                self._tools.stop.wait(self._tools.poll_seconds)
        return self._outcome

    def _guard(self, name: str, act: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """One name's refusal must not keep the others from being finished."""
        try:
            act(*args, **kwargs)
        except VertuneError as error:
            self._outcome.failed[name] = str(error)
            self._tools.watcher.said(name, str(error))

    # Changes that submit nothing

    def _quick(self, change: Change) -> None:
        if change.action is Action.RESUME:
            self._resume(change)
        elif change.action is Action.REUSE:
            self._reuse(change)
        elif change.action is Action.FORGET:
            self._tools.ledger.deactivate(change.name)
            self._outcome.changed.append(change.name)
            self._tools.watcher.said(change.name, "forgotten; nothing remote was deleted")

    def _reuse(self, change: Change) -> None:
        source = change.source
        if source is not None and source.name != change.name:
            read = self._tools.ledger.read(source.name, source.fingerprint)
            if read is None:
                raise VertuneError(f"the ledger's entry of {source.name} is gone; plan again")
            copy = read[0].model_copy(update={"name": change.name})
            failed = self._tools.ledger.read(change.name, change.fingerprint)
            self._tools.ledger.update(copy, failed[1] if failed else 0)
        self._tools.ledger.activate(change.name, change.fingerprint)
        self._outcome.changed.append(change.name)
        self._tools.watcher.said(change.name, "served again; no job was needed")

    def _resume(self, change: Change) -> None:
        read = self._tools.ledger.read(change.name, change.fingerprint)
        if read is None:
            raise VertuneError(f"the ledger's entry of {change.name} is gone; plan again")
        entry, generation = read
        flight = _Flight(entry, generation, self._of(entry))
        if entry.state == "succeeded":
            self._evaluate(flight)
        elif entry.state == "submitting":
            self._settle(flight)
        elif entry.in_flight:
            self._flights.append(flight)
            self._tools.watcher.said(entry.name, f"adopted {entry.job}")

    def _of(self, entry: Entry) -> Resolved | None:
        """The spec an entry belongs to, if it still asks for the same tuning."""
        found = self._resolved.get(entry.name)
        same = found and found.desired and found.desired.fingerprint == entry.fingerprint
        return found if same else None

    # Submitting

    def _submit(self, change: Change) -> None:
        resolved = self._resolved[change.name]
        uris = upload(resolved.dataset, resolved.file.spec.instructions, self._tools.bucket)
        entry = self._intent(change, resolved, uris["train"])
        try:
            flight = self._claimed(change, entry, resolved)
        except Changed:
            read = self._tools.ledger.read(entry.name, entry.fingerprint)
            who = f"{read[0].holder} since {read[0].created}" if read else "somebody else"
            raise VertuneError(f"is being submitted by {who}; run apply again later") from None
        self._create(flight)

    def _claimed(self, change: Change, entry: Entry, resolved: Resolved) -> _Flight:
        """Write the intent: a new entry, or over the failed one that is asked for again."""
        ledger = self._tools.ledger
        failed = change.source and change.source.fingerprint == entry.fingerprint
        read = ledger.read(entry.name, entry.fingerprint) if failed else None
        if read is None:
            return _Flight(entry, ledger.create(entry), resolved)
        before, generation = read
        tried = [*before.previous, *([before.job] if before.job else [])]
        entry = entry.model_copy(update={"previous": tried})
        return _Flight(entry, ledger.update(entry, generation), resolved)

    def _intent(self, change: Change, resolved: Resolved, uri: str) -> Entry:
        desired, spec = change.desired, resolved.file.spec
        assert desired is not None
        prompt = resolved.dataset.train.prompt
        return Entry(
            name=change.name,
            fingerprint=change.fingerprint,
            stack=self._tools.stack,
            state="submitting",
            inputs=dict(desired.inputs),
            created=_now(),
            location=desired.location,
            spec=resolved.file.path,
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            dataset_uri=uri,
            splits={name: split.examples for name, split in resolved.dataset.splits.items()},
            epochs=desired.estimate.epochs,
            prompt={
                "system": prompt.system or spec.instructions,
                "prefix": prompt.prefix,
                "suffix": prompt.suffix,
                "longest_answer": str(resolved.dataset.train.longest_answer),
            },
            estimated_tokens=desired.estimate.billable_tokens,
        )

    def _create(self, flight: _Flight) -> None:
        """Submit, or say why not; after it either a job is recorded or nothing was started."""
        entry = flight.entry
        try:
            job = self._tools.vertex.submit(self._order(flight))
        except RemoteError as error:
            if 400 <= error.status < 500:
                self._tools.ledger.remove(entry, flight.generation)
                raise
            self._look_up(flight, error)
            return
        except Unreachable as error:
            self._look_up(flight, error)
            return
        self._adopt(flight, job, "submitted")

    def _order(self, flight: _Flight) -> Order:
        entry, resolved = flight.entry, flight.resolved
        assert resolved is not None
        spec = resolved.file.spec
        folder = entry.dataset_uri.rpartition("/")[0]
        return Order(
            name=f"{entry.name}-{entry.fingerprint[:8]}",
            base_model=spec.base_model,
            train_uri=entry.dataset_uri,
            validation_uri=f"{folder}/validation.jsonl" if "validation" in entry.splits else None,
            epochs=entry.epochs,
            learning_rate_multiplier=spec.tuning.learning_rate_multiplier,
            adapter_size=spec.tuning.adapter_size,
            labels={**spec.labels, **_labels(entry)},
        )

    def _look_up(self, flight: _Flight, error: VertuneError) -> None:
        """The answer was lost: the job may stand. It is found by its labels or stays open."""
        if job := self._started(flight.entry):
            self._adopt(flight, job, "the answer was lost; found")
            return
        raise VertuneError(
            f"{error}\nwhether a job was created is not known yet; run apply again, it looks first"
        )

    def _settle(self, flight: _Flight) -> None:
        """Finish a submit that somebody began: adopt its job, or submit once none can appear."""
        if job := self._started(flight.entry):
            self._adopt(flight, job, "adopted")
            return
        age = (datetime.now(UTC) - datetime.fromisoformat(flight.entry.created)).total_seconds()
        if age < self._tools.settle_seconds:
            raise VertuneError(
                f"was begun {age:.0f} s ago by {flight.entry.holder}, who may still be at it;"
                f" run apply again in {self._tools.settle_seconds - age:.0f} s"
            )
        if flight.resolved is None:
            self._tools.ledger.remove(flight.entry, flight.generation)
            self._tools.watcher.said(
                flight.entry.name, "never submitted, no longer wanted; removed"
            )
            return
        holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._write(flight, created=_now(), holder=holder)
        self._create(flight)

    def _started(self, entry: Entry) -> Job | None:
        """The job that this entry's submit created, found by its labels."""
        found = self._tools.vertex.jobs(_labels(entry))
        return next((job for job in found if job.name not in entry.previous), None)

    def _adopt(self, flight: _Flight, job: Job, how: str) -> None:
        self._write(
            flight,
            state="submitted",
            job=job.name,
            stand_in=job.labels.get(STAND_IN_LABEL),
        )
        self._flights.append(flight)
        self._tools.watcher.said(flight.entry.name, f"{how} {job.name}")

    def _write(self, flight: _Flight, **update: object) -> None:
        flight.entry = flight.entry.model_copy(update=update)
        flight.generation = self._tools.ledger.update(flight.entry, flight.generation)

    # Waiting and finishing

    def _look(self) -> None:
        for flight in list(self._flights):
            name = flight.entry.name
            try:
                job = self._tools.vertex.job(flight.entry.job or "")
            except JobMissing as error:
                self._flights.remove(flight)
                self._write(flight, state="failed", error=str(error), finished=_now())
                self._outcome.failed[name] = str(error)
                continue
            self._tools.watcher.moved(name, job)
            if job.done:
                self._flights.remove(flight)
                self._guard(name, self._finish, flight, job)

    def _finish(self, flight: _Flight, job: Job) -> None:
        if not job.succeeded:
            state = "cancelled" if job.state == "CANCELLED" else "failed"
            why = job.error or f"the service ended it as {job.state}"
            self._write(flight, state=state, error=why, finished=job.finished or _now())
            raise VertuneError(f"{state}: {why}")
        self._write(
            flight,
            state="succeeded",
            finished=job.finished or _now(),
            tuned_model=job.tuned_model,
            endpoint=job.endpoint,
            stand_in=job.labels.get(STAND_IN_LABEL),
            checkpoints=[dict(point) for point in job.checkpoints],
            statistics=dict(job.statistics),
        )
        self._outcome.tuned.append(flight.entry.name)
        self._evaluate(flight)

    def _evaluate(self, flight: _Flight) -> None:
        """Score the tuned model where there is a test split, then serve it if it may be."""
        resolved, entry = flight.resolved, flight.entry
        if resolved is None:
            return  # no spec asks for it any more: kept, not served
        spec, split = resolved.file.spec, resolved.dataset.splits.get("test")
        if split is not None and entry.endpoint:
            score, _ = evaluate(
                self._tools.vertex,
                split,
                spec.instructions,
                base_model=spec.base_model,
                endpoint=entry.endpoint,
                metric=spec.metric,
                answered=lambda: self._tools.watcher.answered(entry.name, 2 * split.examples),
            )
            self._write(flight, score=score)
        mark = spec.evaluation.at_least
        if flight.entry.passes(mark):
            self._tools.ledger.activate(entry.name, entry.fingerprint)
            self._tools.watcher.said(entry.name, "tuned and served")
        else:
            found = flight.entry.score
            reached = f"reached {found.tuned:.3f}" if found else "was not scored"
            raise VertuneError(f"{reached}, below its mark of {mark:g}: it is not served")


def _labels(entry: Entry) -> dict[str, str]:
    return {
        "vertune-spec": entry.name,
        "vertune-fingerprint": identity.label(entry.fingerprint),
        "vertune-stack": entry.stack,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
