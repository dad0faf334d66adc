"""Apply: carries out a plan so that each tuning is submitted once, whatever dies in between.

A step is one remote call with the record written right after it; waiting is apart from acting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol

from jobs.runner import remote
from jobs.runner.ahead import ahead
from jobs.runner.copying import Copying
from jobs.runner.desired import Resolved
from jobs.runner.diff import reaches
from jobs.runner.errors import JobMissing, Passing, Quota, Unreachable, VertuneError
from jobs.runner.events import Events
from jobs.runner.flight import Flight
from jobs.runner.lease import Lease
from jobs.runner.ledger import Entry, Ledger, Summary
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.serving import Serving
from jobs.runner.submission import NoRoom, Submission, Withdrawn
from jobs.runner.upload import upload
from jobs.runner.vertex import Job, Vertex

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

P = ParamSpec("P")

_MOST_MISSED = 10  # looks at a job in a row without an answer, each of them tried for a while
_AGAIN = (Unreachable, Passing, Quota)  # nothing that another look may not mend
_UPLOADS = 4  # datasets on their way at once
_QUOTA_SECONDS = 60.0  # until the service is asked again for room


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
    at_once: int  # jobs in flight, whoever started them
    poll_seconds: float
    lease: Lease
    retire: Callable[[str], None]  # takes the alias from what is served under a name
    copying: Copying | None = None  # from the stack before, if there is one
    events: Events = field(default_factory=Events)
    wait: bool = True  # until all that is in flight has ended
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass
class Outcome:
    """What became of the names an apply dealt with; `failed` has the reason by name."""

    tuned: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)  # in flight when it stopped waiting
    queued: list[str] = field(default_factory=list)  # not submitted: no room was left


def apply(tools: Tools, plan: Plan, resolved: Mapping[str, Resolved]) -> Outcome:
    """Carry out the plan, blocked changes apart; wait until all that is in flight has ended."""
    return _Apply(tools, resolved).run(plan)


class _Apply:
    def __init__(self, tools: Tools, resolved: Mapping[str, Resolved]) -> None:
        self._tools, self._resolved = tools, resolved
        said, self._happened = tools.watcher.said, tools.events.happened
        self._submission = Submission(
            tools.stack, tools.ledger, tools.vertex, tools.lease, said, self._happened
        )
        self._serving = Serving(
            tools.ledger, tools.vertex, said, tools.watcher.answered, self._happened, tools.stop
        )
        self._outcome = Outcome()
        self._queue: list[Change] = []
        self._flights: list[Flight] = []
        self._tuned: list[Flight] = []  # to be scored and served
        self._missed: dict[str, int] = {}
        self._told_full = False
        self._full_until = 0.0  # steady seconds; the service has no room before

    def run(self, plan: Plan) -> Outcome:
        for change in plan.changes:
            if change.action.tunes:
                self._queue.append(change)
            else:
                self._guard(change.name, self._quick, change)
        self._turn()
        while self._tools.wait and self._busy() and not self._tools.stop.is_set():
            self._tools.stop.wait(self._tools.poll_seconds)
            self._turn()
        self._outcome.running = [flight.entry.name for flight in (*self._flights, *self._tuned)]
        self._outcome.queued = [change.name for change in self._queue]
        return self._outcome

    def _busy(self) -> bool:
        return bool(self._queue or self._flights or self._tuned)

    def _turn(self) -> None:
        """One step for everything; room is used before the time is spent on scoring."""
        self._look()
        self._fill()
        while self._tuned and not self._tools.stop.is_set():
            flight = self._tuned.pop(0)
            self._guard(flight.entry.name, self._serving.serve, flight)

    def _guard(self, name: str, act: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """One name's refusal must not keep the others from being finished."""
        try:
            act(*args, **kwargs)
        except VertuneError as error:
            self._failed(name, error)

    def _failed(self, name: str, error: VertuneError) -> None:
        self._outcome.failed[name] = str(error)
        self._tools.watcher.said(name, str(error))
        self._happened("failed", name, error=str(error))

    # Changes that submit nothing

    def _quick(self, change: Change) -> None:
        if change.action is Action.RESUME:
            self._resume(change)
        elif change.action is Action.REUSE:
            self._reuse(change)
        elif change.action is Action.COPY:
            self._copy(change)
        elif change.action is Action.FORGET:
            self._tools.retire(change.name)  # nothing would tell later whose alias it was
            self._tools.ledger.deactivate(change.name)
            self._outcome.changed.append(change.name)
            self._tools.watcher.said(change.name, "forgotten; nothing remote was deleted")
            self._happened("forgotten", change.name)

    def _reuse(self, change: Change) -> None:
        source = change.source
        assert source is not None
        self._hold_there(change, source)
        if source.name != change.name:
            for fingerprint in filter(None, (change.instead_of, change.fingerprint)):
                self._take_over(change.name, source.name, fingerprint)
            if said := self._unfit(change, source):
                self._tools.watcher.said(change.name, said)
                return
        if not self._tools.ledger.activate(
            change.name,
            change.fingerprint,
            change.instead_of,
            unless_taken_back=True,
            there=lambda: self._tools.vertex.has(source.tuned_model or ""),
        ):
            said = f"was taken back meanwhile; `vertune promote {change.name}` serves it again"
            self._tools.watcher.said(change.name, said)
            return
        self._outcome.changed.append(change.name)
        self._tools.watcher.said(change.name, "served again; no job was needed")
        self._happened("served", change.name)

    def _copy(self, change: Change) -> None:
        """Copied, it is scored where it was scored by another metric, and served like any other."""
        assert self._tools.copying is not None
        flight = self._tools.copying.copy(change, self._resolved[change.name])
        self._outcome.changed.append(change.name)
        self._tools.watcher.said(change.name, f"copied as {flight.entry.tuned_model}")
        self._happened("copied", change.name, tuned_model=flight.entry.tuned_model)
        self._tuned.append(flight)

    def _hold_there(self, change: Change, source: Summary) -> None:
        """What is pruned goes from the registry first, and from the ledger last."""
        if source.tuned_model and not self._tools.vertex.has(source.tuned_model):
            raise VertuneError(
                f"{source.tuned_model} is gone from the registry and cannot be served again;"
                f" `vertune apply --retry {change.name}` tunes it anew, which is paid for"
            )

    def _unfit(self, change: Change, source: Summary) -> str | None:
        """Why what was tuned under another name is not served under this one, or not yet."""
        wanted = change.desired
        if wanted is None or change.instead_of or reaches(wanted, source):
            return None
        if source.score and source.score.metric == wanted.metric:
            return f"is the tuning of {source.name}, below its mark here: not served"
        return f"is the tuning of {source.name}; to be scored before it is served"

    def _take_over(self, name: str, other: str, fingerprint: str) -> None:
        """The same tuning, recorded under this name too."""
        ledger = self._tools.ledger
        read = ledger.read(other, fingerprint)
        if read is None:
            raise VertuneError(f"the ledger's entry of {other} is gone; plan again")
        copy = read[0].model_copy(update={"name": name})
        own = ledger.read(name, fingerprint)
        if own is None or own[0].state != "succeeded":
            ledger.update(copy, own[1] if own else 0)

    def _resume(self, change: Change) -> None:
        read = self._tools.ledger.read(change.name, change.fingerprint)
        if read is None:
            raise VertuneError(f"the ledger's entry of {change.name} is gone; plan again")
        entry, generation = read
        flight = Flight(entry, generation, self._of(entry))
        if entry.state == "succeeded":
            self._tuned.append(flight)
        elif entry.in_flight:
            self._flights.append(flight)
            if entry.job:
                self._tools.watcher.said(entry.name, f"adopted {entry.job}")
                self._happened("adopted", entry.name, job=entry.job)

    def _of(self, entry: Entry) -> Resolved | None:
        """The spec an entry belongs to, if it still asks for the same tuning."""
        found = self._resolved.get(entry.name)
        if found is None or found.desired is None or found.desired.pin:
            return None  # a pin serves what it names, whatever else is under way
        return found if found.desired.fingerprint == entry.fingerprint else None

    # Submitting what there is room for

    def _fill(self) -> None:
        if not self._queue or time.monotonic() < self._full_until:
            return
        now = self._queue[: max(0, self._room())]
        if not now and not self._flights:
            self._say_full()
        uploads = ahead([partial(self._upload, change) for change in now], _UPLOADS)
        for change, uploaded in zip(now, uploads, strict=True):
            if self._tools.stop.is_set():
                break
            self._queue.remove(change)
            try:
                self._guard(change.name, self._submit, change, uploaded)
            except _Full as full:
                self._wait_for_room(change, full)
                break
        begun = [uploaded for uploaded in uploads if not uploaded.cancel()]
        if not self._tools.stop.is_set():
            wait(begun)  # they are as good for the next time

    def _say_full(self) -> None:
        """Once: who waits for others' jobs must not take it for a command that hangs."""
        if self._told_full or self._missed.get(""):
            return
        self._told_full = True
        self._tools.watcher.said(
            self._queue[0].name,
            f"waits for room: at most {self._tools.at_once} at once (vertune:maxConcurrentJobs),"
            " and jobs of others are under way in this project",
        )

    def _upload(self, change: Change) -> Mapping[str, str]:
        resolved = self._resolved[change.name]
        return upload(resolved.dataset, resolved.file.spec.instructions, self._tools.bucket)

    def _room(self) -> int:
        try:
            room = self._tools.at_once - self._in_flight()
            self._missed.pop("", None)
            return room
        except _AGAIN as error:
            if self._lost("", error):
                raise
            return 0

    def _in_flight(self) -> int:
        """Jobs under way, whoever started them, and submissions of ours that may become one."""
        mine = [flight.entry.job for flight in self._flights]
        others = {job.name for job in self._tools.vertex.under_way()} - {*mine}
        return len(mine) + len(others)

    def _submit(self, change: Change, uploaded: Future[Mapping[str, str]]) -> None:
        resolved, uri = self._resolved[change.name], uploaded.result()["train"]
        try:
            flight = self._submission.begin(change, resolved, uri)
        except NoRoom as error:
            raise _Full(error) from error
        except Withdrawn:
            self._queue.insert(0, change)
            return
        self._flights.append(flight)

    def _wait_for_room(self, change: Change, full: _Full) -> None:
        self._queue.insert(0, change)
        self._full_until = time.monotonic() + remote.patient(_QUOTA_SECONDS)
        self._tools.watcher.said(change.name, f"waits for quota: {full.error.message}")

    # Looking at what is in flight

    def _look(self) -> None:
        for flight in list(self._flights):
            name = flight.entry.name
            try:
                done = self._step(flight)
                self._missed.pop(name, None)
            except Withdrawn:
                done = True
                self._withdrawn(flight)
            except VertuneError as error:
                passing = isinstance(error, _AGAIN)
                if done := not passing or self._lost(name, error):
                    self._failed(name, error)
            if done:
                self._flights.remove(flight)

    def _withdrawn(self, flight: Flight) -> None:
        """What this plan submits goes on with it here; else the next plan shows it, and asks."""
        said = f"was given up by {flight.entry.holder} before there was a job"
        self._tools.watcher.said(flight.entry.name, said)
        if flight.change is not None:
            self._queue.insert(0, flight.change)

    def _lost(self, name: str, error: VertuneError) -> bool:
        """Whether to give up: a wait of hours outlives a service that is away for minutes."""
        self._missed[name] = self._missed.get(name, 0) + 1
        if not self._tools.wait or self._missed[name] >= _MOST_MISSED:
            return True
        if self._missed[name] == 1:
            self._tools.watcher.said(name, f"{error}\nit is asked again")
        return False

    def _step(self, flight: Flight) -> bool:
        """One look; whether nothing is left to wait for."""
        if flight.entry.state == "submitting":
            return not self._submission.settle(flight)
        if not flight.entry.in_flight:  # somebody else has finished it
            return self._take_up(flight)
        try:
            job = self._tools.vertex.job(flight.entry.job or "")
        except JobMissing as error:
            if self._tools.lease.left(flight.entry, self._tools.ledger.clock) > 0:
                return False  # not known everywhere yet: a failure would be paid for again
            ended = self._tools.ledger.clock.stamp()
            flight.record(self._tools.ledger, state="failed", error=str(error), finished=ended)
            if flight.entry.in_flight:
                return False  # asked for again meanwhile
            raise
        self._tools.watcher.moved(flight.entry.name, job)
        self._tools.events.moved(flight.entry.name, job)
        if job.done:
            self._serving.finished(flight, job)
        return job.done and not flight.entry.in_flight and self._take_up(flight)

    def _take_up(self, flight: Flight) -> bool:
        """Go on with what has ended, by whomever that was recorded."""
        if flight.entry.state != "succeeded":
            raise VertuneError(f"{flight.entry.state}: {flight.entry.error or 'no reason given'}")
        entry = flight.entry
        self._outcome.tuned.append(entry.name)
        self._tuned.append(flight)
        tuned = {"tuned_model": entry.tuned_model, "endpoint": entry.endpoint}
        self._happened("succeeded", entry.name, job=entry.job, **tuned)
        return True


class _Full(Exception):
    """The service has no room for one more job now."""

    def __init__(self, error: Quota) -> None:
        super().__init__(str(error))
        self.error = error
