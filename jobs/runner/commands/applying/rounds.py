"""Rounds: plans are carried out until one has nothing left that can be done now."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from jobs.runner import gone, promise, report
from jobs.runner.commands.applying.terms import Refused, Terms, approved, ask, refuse
from jobs.runner.errors import VertuneError
from jobs.runner.plan import Action, Change
from jobs.runner.reconcile import Reconciliation, reconcile

if TYPE_CHECKING:
    from types import FrameType

    from jobs.runner.apply import Outcome
    from jobs.runner.commands import Place
    from jobs.runner.copying import Copying


@dataclass
class Sum:
    """What came of all rounds together."""

    tuned: list[str] = field(default_factory=list)
    changed: bool = False
    failed: dict[str, str] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        every = {"tuned": self.tuned, "failed": self.failed}
        every |= {"running": self.running, "queued": self.queued}
        return {word: len(names) for word, names in every.items()}

    def add(self, outcome: Outcome) -> None:
        self.tuned += outcome.tuned
        self.changed = self.changed or bool(outcome.tuned or outcome.changed)
        self.failed |= outcome.failed
        self.running, self.queued = outcome.running, outcome.queued


def rounds(place: Place, terms: Terms, found: Reconciliation, promised: promise.Promise) -> Sum:
    """Carry plans out until one has nothing left that can be done now."""
    result = Sum()
    done: set[tuple[str, str, str]] = set()
    while todo := {(c.action.word, c.name, c.fingerprint) for c in found.plan.now} - done:
        if all(name in result.failed for _, name, _ in todo):
            break
        try:
            terms.events.planned(found.plan)
            refuse(place, terms, found)
            if found.plan.tunes:
                ask(place, terms)
        except VertuneError as error:
            begun = found.of(_begun)
            ours = isinstance(error, Refused) and not error.foreign
            if not done and not (ours and begun.plan.changes):
                raise
            if not done:
                result.add(_carry_out(place, terms, begun))  # it is paid for whatever is refused
            terms.events.happened("stopped", error=str(error))
            result.failed["the rest"] = str(error)  # what is done is recorded all the same
            click.echo(str(error), err=True)
            break
        if terms.reviews and not done:
            place.ledger.approve(promised.model_dump_json(indent=1))
        outcome = _carry_out(place, terms, found)
        result.add(outcome)
        if outcome.running or outcome.queued:
            break  # it was not to be waited for
        done |= todo
        found = reconciled(place, terms)
        if terms.held:
            found = found.of(promised.covers)
        elif not all(map(promised.covers, found.plan.now)):
            click.echo(shown(place, found), err=True)
    return result


def _begun(change: Change) -> bool:
    """Whether its job is there already, so that it costs nothing to finish it."""
    state = change.source.state if change.source else "submitting"
    return change.action is Action.RESUME and state != "submitting"


def reconciled(place: Place, terms: Terms, retry: tuple[str, ...] = ()) -> Reconciliation:
    recorded, resolved = place.read(terms.select)
    if retry:
        recorded = gone.without(recorded, resolved, retry, place.registry)
    found = reconcile(
        resolved, recorded, terms.select, retry, terms.allow, place.others(terms.select)
    )
    if place.earlier:
        found = replace(found, plan=place.earlier.noted(found.plan))
    return found.of(approved(place).goes_on) if terms.go_on else found


def shown(place: Place, found: Reconciliation) -> str:
    shown = report.Shown(found.plan, place.name, place.settings, short=found.short)
    return report.plan_text(shown)


def _carry_out(place: Place, terms: Terms, found: Reconciliation) -> Outcome:
    from jobs.runner import remote
    from jobs.runner.apply import Tools, apply
    from jobs.runner.lease import lease
    from jobs.runner.progress import Watch

    gone.record(place.ledger, found.plan, found.recorded)
    stop = threading.Event()
    with Watch() as watch, _stopping(stop):
        tools = Tools(
            stack=place.name,
            bucket=place.bucket,
            ledger=place.ledger,
            vertex=place.vertex,
            watcher=watch,
            at_once=place.settings.max_concurrent_jobs,
            poll_seconds=remote.patient(0.5 if place.settings.emulator else 20.0),
            lease=lease(place.settings.emulator),
            retire=_retiring(place, found),
            copying=_copying(place),
            events=terms.events,
            wait=terms.wait,
            stop=stop,
        )
        outcome = apply(tools, found.plan, found.resolved)
    if stop.is_set():
        raise VertuneError(
            "stopped waiting; jobs that were submitted go on, `vertune apply` adopts them"
        )
    return outcome


def _retiring(place: Place, found: Reconciliation) -> Callable[[str], None]:
    """For names that are forgotten; a renamed one goes on to be served."""
    from jobs.runner import pointer

    going = {change.name for change in found.plan.changes if change.action is Action.FORGET}
    stays = {name: record for name, record in found.recorded.items() if name not in going}
    reused = {
        c.source.tuned_model for c in found.plan.changes if c.source and c.action is Action.REUSE
    }
    goes_on = {model for model in (*pointer.served(stays), *reused) if model}
    return lambda name: pointer.retire(place.registry, found.recorded, name, goes_on)


def _copying(place: Place) -> Copying | None:
    from jobs.runner.copying import Copying

    if place.before is None:
        return None
    settings, before = place.settings, place.before.ledger
    return Copying(
        place.name, settings.project, settings.bucket, place.ledger, before, place.registry
    )


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C ends the waiting after the step that is being done, the second at once."""

    def once(number: int, frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)
        click.echo("\nstopping after this step; again to stop at once", err=True)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
