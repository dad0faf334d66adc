"""Tuned: repositories in which something was tuned already, and a command's every remote call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.apply import Tools, apply
from jobs.runner.commands import Place
from jobs.runner.entry import Entry, Recorded
from jobs.runner.errors import VertuneError
from jobs.runner.lease import Lease
from jobs.runner.plan import Plan
from jobs.runner.reconcile import reconcile
from jobs.runner.vertex import Job
from tests.conftest import Repository

_LONG = Lease(sending=60, acting=30, settling=60)
_MOST = 60  # remote calls of one command


class Unheard:
    def said(self, name: str, text: str) -> None: ...

    def moved(self, name: str, job: Job) -> None: ...

    def answered(self, name: str, total: int) -> None: ...


def place_of(repository: Repository) -> Place:
    return Place("local", repository.root)


def planned(place: Place) -> Plan:
    return reconcile(place.resolve(), place.ledger.recorded()).plan


def applied(place: Place, *, wait: bool = True) -> None:
    """Everything that the specs ask for."""
    found = reconcile(place.resolve(), place.ledger.recorded())
    tools = Tools(
        stack=place.name,
        bucket=place.bucket,
        ledger=place.ledger,
        vertex=place.vertex,
        watcher=Unheard(),
        at_once=9,
        poll_seconds=0.01,
        lease=_LONG,
        retire=lambda name: None,
        wait=wait,
    )
    outcome = apply(tools, found.plan, found.resolved)
    assert not outcome.failed, outcome.failed


def place_with(repository: Repository, name: str, tunings: int = 1) -> tuple[Place, list[Entry]]:
    """A place where a spec was edited and tuned so often; its entries, the oldest first."""
    place = place_of(repository)
    repository.job(name)
    for number in range(tunings):
        if number:
            another(repository, name, number)
        applied(place)
    return place, entries(place, name)


def another(repository: Repository, name: str, number: int) -> None:
    """Edit the data of a spec, so that another tuning is asked for."""
    repository.data(name, "train", (f"{name} match", "sports"), (f"merger {number}", "business"))


def entries(place: Place, name: str) -> list[Entry]:
    found = [place.ledger.read(name, key) for key in record_of(place, name).entries]
    return sorted((one[0] for one in found if one), key=lambda entry: entry.created)


def record_of(place: Place, name: str) -> Recorded:
    return place.ledger.recorded().get(name, Recorded())


def finished(run: Callable[[], object]) -> bool:
    """Whether a command ended without an error that a user can act on."""
    try:
        run()
    except VertuneError:
        return False
    return True


def refused_at_each_call(
    emulator: Emulator, run: Callable[[], object]
) -> Iterator[tuple[str, bool]]:
    """Have a command refused at its first remote call, then at its second …, acted on or not.

    Gives which call it was, and whether the command finished all the same.
    """
    for when in ("before", "after"):
        for nth in range(1, _MOST):
            emulator.faults.set(Rule("no", nth=nth, when=when, status=403))
            done = finished(run)
            (rule,) = emulator.faults.listed()
            emulator.faults.clear()
            if not rule["hits"]:
                break
            yield f"{when} call {nth}", done
        else:
            raise AssertionError(f"more than {_MOST} calls")


@contextmanager
def idle(folder: Path) -> Iterator[Emulator]:
    """An emulator whose jobs stay queued until a test lets it begin."""
    emulator = Emulator(folder, trainer="nearest")
    emulator.server.__enter__()
    try:
        yield emulator
    finally:
        emulator.close()


def begin(emulator: Emulator) -> None:
    emulator._vertex.start()


def in_flight(repository: Repository, name: str, number: int = 0) -> tuple[Place, Entry]:
    """A place where a job of `name` was submitted and not waited for."""
    place = place_of(repository)
    repository.job(name)
    another(repository, name, number)
    applied(place, wait=False)
    return place, entries(place, name)[-1]
