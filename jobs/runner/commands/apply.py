"""`vertune apply`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.runner import gone, guards, ledger, promise, report, spending
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.errors import VertuneError
from jobs.runner.events import Events
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.reconcile import Reconciliation, reconcile
from jobs.runner.storage import Changed

if TYPE_CHECKING:
    from types import FrameType

    from jobs.runner.apply import Outcome
    from jobs.runner.copying import Copying


_BEHIND = "it is served all the same; the next apply moves its alias in the registry"


@dataclass(frozen=True)
class _Terms:
    """What a person said about this apply."""

    select: tuple[str, ...]
    yes: bool
    wait: bool
    allow: tuple[str, ...]
    reviewed: Path | None
    checksum: str | None
    record: bool
    go_on: bool
    events: Events

    @property
    def reviews(self) -> bool:
        """Whether it names what was reviewed."""
        return self.reviewed is not None or self.checksum is not None

    @property
    def held(self) -> bool:
        """Whether just what was reviewed is done."""
        return self.reviews or self.go_on


@dataclass
class _Sum:
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


@click.command("apply")
@select_option
@output_option
@click.option("--yes", is_flag=True, help="Do not ask before jobs that cost money.")
@click.option(
    "--no-wait", is_flag=True, help="Submit what there is room for and return; run it again later."
)
@click.option(
    "--plan",
    "reviewed",
    type=click.Path(path_type=Path),
    help="Do what `plan --out` wrote there, or the rest of it, or refuse.",
)
@click.option("--checksum", help="Do just the plan of this checksum, or the rest of it, or refuse.")
@click.option(
    "--continue",
    "go_on",
    is_flag=True,
    help="Finish what was begun, and do the rest of the plan that was applied by --plan or"
    " --checksum last; leave what was merged since.",
)
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(guards.NAMES),
    help="Lift this guard; may be given again.",
)
@click.option(
    "--events",
    "log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append what happens to this file, as JSON lines; docs/events.md has the format.",
)
@click.option("--no-record", is_flag=True, help="Leave the stack's outputs to `vertune record`.")
@click.option(
    "--retry",
    multiple=True,
    metavar="NAME",
    help="Tune once more what failed, was cancelled or is gone; may be given again.",
)
@click.pass_obj
def command(
    place: Place,
    select: tuple[str, ...],
    output: str,
    yes: bool,
    no_wait: bool,
    reviewed: Path | None,
    checksum: str | None,
    go_on: bool,
    allow: tuple[str, ...],
    log: Path | None,
    no_record: bool,
    retry: tuple[str, ...],
) -> None:
    """Tune what the plan says, wait, evaluate, and record the outputs.

    A job that is under way is adopted, never started twice; stop this command whenever you like
    and run it again.

    Example: vertune --stack dev apply --plan plan.json --yes
    """
    if go_on and (reviewed or checksum or retry):
        raise click.UsageError("--continue goes with neither --plan, --checksum nor --retry")
    events = Events(place.name, log)
    waits, records = not no_wait, not no_record
    terms = _Terms(select, yes, waits, allow, reviewed, checksum, records, go_on, events)
    with events:
        _apply(place, terms, retry, output)


def _apply(place: Place, terms: _Terms, retry: tuple[str, ...], output: str) -> None:
    found = _reconciled(place, terms, retry)
    promised = promise.promise(found.plan, place.name, place.settings.project)
    click.echo(_shown(place, found), err=output != "text")
    promised = _held(place, terms, found, promised)
    result = _rounds(place, terms, found, promised)
    after = _reconciled(place, terms)
    _move_aliases(place, found, after)
    _finish(place, output, result, after, terms)


def _shown(place: Place, found: Reconciliation) -> str:
    shown = report.Shown(found.plan, place.name, place.settings, short=found.short)
    return report.plan_text(shown)


def _reconciled(place: Place, terms: _Terms, retry: tuple[str, ...] = ()) -> Reconciliation:
    recorded, resolved = place.read(terms.select)
    if retry:
        recorded = gone.without(recorded, resolved, retry, place.registry)
    found = reconcile(
        resolved, recorded, terms.select, retry, terms.allow, place.others(terms.select)
    )
    if place.earlier:
        found = replace(found, plan=place.earlier.noted(found.plan))
    return found.of(_approved(place).goes_on) if terms.go_on else found


def _approved(place: Place) -> promise.Promise:
    """The plan that was begun last; an empty one if none ever was."""
    text, where = place.ledger.approved(), f"gs://{place.settings.bucket}/approved.json"
    nothing = promise.promise(Plan(), place.name, place.settings.project)
    if text is None:
        return nothing
    found = promise.parse(text, where)
    promise.hold_stack(found, nothing)
    return found


def _rounds(place: Place, terms: _Terms, found: Reconciliation, promised: promise.Promise) -> _Sum:
    """Carry plans out until one has nothing left that can be done now."""
    result = _Sum()
    done: set[tuple[str, str, str]] = set()
    while todo := {(c.action.word, c.name, c.fingerprint) for c in found.plan.now} - done:
        if all(name in result.failed for _, name, _ in todo):
            break
        try:
            terms.events.planned(found.plan)
            _refuse(place, terms, found)
            if found.plan.tunes:
                _ask(place, terms)
        except VertuneError as error:
            begun = found.of(_begun)
            ours = isinstance(error, _Refused) and not error.foreign
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
        found = _reconciled(place, terms)
        if terms.held:
            found = found.of(promised.covers)
        elif not all(map(promised.covers, found.plan.now)):
            click.echo(_shown(place, found), err=True)
    return result


def _begun(change: Change) -> bool:
    """Whether its job is there already, so that it costs nothing to finish it."""
    state = change.source.state if change.source else "submitting"
    return change.action is Action.RESUME and state != "submitting"


# What must hold before anything is done


class _Refused(VertuneError):
    """By guards that nobody lifted; `foreign` if the bucket is another's."""

    def __init__(self, against: Sequence[guards.Guard]) -> None:
        super().__init__("\n".join(f"refused: {guard}" for guard in against))
        self.foreign = any(guard.name == guards.FOREIGN for guard in against)


def _held(
    place: Place, terms: _Terms, found: Reconciliation, now: promise.Promise
) -> promise.Promise:
    """What is promised. Raises VertuneError unless the plan is what was reviewed, or its rest."""
    if terms.reviewed is not None:
        promise.hold(promise.read(terms.reviewed), now, found.recorded)
    if terms.checksum is None or terms.checksum == now.checksum:
        return now
    begun = _approved(place)  # by who was stopped, and runs the same command again
    if begun.checksum != terms.checksum:
        promise.hold_checksum(terms.checksum, now)
    promise.hold(begun, now, found.recorded)
    return begun


def _refuse(place: Place, terms: _Terms, found: Reconciliation) -> None:
    """Raises _Refused for every guard that nobody lifted; else the bucket is ours."""
    marked = place.ledger.owner()
    unproven = [*place.earlier.unproven(found.plan)] if place.earlier else []
    standing = guards.guards(
        found.plan,
        found.recorded,
        place.settings,
        place.owner,
        marked,
        unproven,
        _spent(place),
    )
    against = [guard for guard in standing if guard.name not in terms.allow]
    if against:
        raise _Refused(against)
    if marked != place.owner:
        try:
            place.ledger.mark(place.owner, instead_of=marked)
        except Changed:
            _refuse(place, terms, found)  # another stack was faster


def _spent(place: Place) -> spending.Spent | None:
    """This month, where that is capped; of all that is recorded, whatever is asked for again."""
    if place.settings.monthly_usd is None:
        return None
    return spending.this_month(place.ledger.recorded(), place.ledger.clock.now())


def _ask(place: Place, terms: _Terms) -> None:
    """A paid action is confirmed by a person; where nobody is, by --yes to a reviewed plan."""
    if sys.stdin.isatty():
        jobs = "simulated jobs, which cost nothing" if place.settings.emulator else "jobs"
        if not terms.yes and not click.confirm(f"Submit these {jobs}?", default=False):
            raise VertuneError("nothing was done")
    elif not terms.yes:
        costs = "this costs money"
        if place.settings.emulator:
            costs = "this tunes, simulated and at no cost,"
        raise VertuneError(f"nothing was done: {costs} and nobody can be asked; add --yes")
    elif not terms.held and not place.settings.emulator:
        raise VertuneError(
            "nothing was done: this costs money, and nobody here has seen the plan; save it with"
            " `vertune plan --out FILE`, have it reviewed, and add --plan FILE (or --checksum)"
        )


# Doing it


def _carry_out(place: Place, terms: _Terms, found: Reconciliation) -> Outcome:
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


# What came of it


def _move_aliases(place: Place, before: Reconciliation, after: Reconciliation) -> None:
    """To what is served now; it is served all the same if that fails, and the next apply does."""
    from jobs.runner import pointer

    for name in pointer.left_behind(before.recorded, after.recorded):
        try:
            pointer.follow(place.ledger, place.registry, after.recorded, name)
        except VertuneError as error:
            click.echo(f"{name}: {error}\n{name}: {_BEHIND}", err=True)


def _finish(place: Place, output: str, result: _Sum, found: Reconciliation, terms: _Terms) -> None:
    outputs: dict[str, object] = {}
    if terms.record and _unrecorded(place, result, found):
        outputs = place.record()
        terms.events.happened("recorded", counts={"tuned_models": len(outputs)})
    terms.events.happened("ended", counts=result.counts)
    if output == "json":
        body = {
            "tuned": result.tuned,
            "failed": result.failed,
            "running": result.running,
            "queued": result.queued,
            "blocked": {change.name: change.reason for change in found.plan.blocked},
            "tuned_models": outputs,
        }
        click.echo(report.dumps(body))
    else:
        click.echo(_text(outputs, result, output == "markdown"))
    if result.failed or (found.plan.blocked and not (result.running or result.queued)):
        click.get_current_context().exit(1)


def _unrecorded(place: Place, result: _Sum, found: Reconciliation) -> bool:
    """Whether the outputs lag behind the ledger, by this apply or by one that died before."""
    if result.changed:
        return True
    served = ledger.exported(found.recorded)
    noted = place.ledger.noted()
    return noted != ledger.digest_of(served) and (bool(served) or noted is not None)


def _text(outputs: dict[str, object], result: _Sum, markdown: bool) -> str:
    lines = []
    if outputs:
        lines += [
            "",
            "Stack output tuned_models:",
            report.outputs_table(outputs, markdown=markdown),
        ]
    lines += [f"{name}: {reason}" for name, reason in result.failed.items()]
    lines += [f"{name}: goes on; `vertune apply` adopts it" for name in result.running]
    lines += [f"{name}: waits for room; `vertune apply` submits it" for name in result.queued]
    return "\n".join(lines)
