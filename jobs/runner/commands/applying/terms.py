"""Terms: what a person said about an apply, and what must hold by that before it acts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.runner import guards, promise, spending
from jobs.runner.errors import VertuneError
from jobs.runner.events import Events
from jobs.runner.plan import Plan
from jobs.runner.reconcile import Reconciliation
from jobs.runner.storage import Changed

if TYPE_CHECKING:
    from jobs.runner.commands import Place


@dataclass(frozen=True)
class Terms:
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


class Refused(VertuneError):
    """By guards that nobody lifted; `foreign` if the bucket is another's."""

    def __init__(self, against: Sequence[guards.Guard]) -> None:
        super().__init__("\n".join(f"refused: {guard}" for guard in against))
        self.foreign = any(guard.name == guards.FOREIGN for guard in against)


def held(
    place: Place, terms: Terms, found: Reconciliation, now: promise.Promise
) -> promise.Promise:
    """What is promised. Raises VertuneError unless the plan is what was reviewed, or its rest."""
    if terms.reviewed is not None:
        promise.hold(promise.read(terms.reviewed), now, found.recorded)
    if terms.checksum is None or terms.checksum == now.checksum:
        return now
    begun = approved(place)  # by who was stopped, and runs the same command again
    if begun.checksum != terms.checksum:
        promise.hold_checksum(terms.checksum, now)
    promise.hold(begun, now, found.recorded)
    return begun


def refuse(place: Place, terms: Terms, found: Reconciliation) -> None:
    """Raises Refused for every guard that nobody lifted; else the bucket is ours."""
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
        raise Refused(against)
    if marked != place.owner:
        try:
            place.ledger.mark(place.owner, instead_of=marked)
        except Changed:
            refuse(place, terms, found)  # another stack was faster


def _spent(place: Place) -> spending.Spent | None:
    """This month, where that is capped; of all that is recorded, whatever is asked for again."""
    if place.settings.monthly_usd is None:
        return None
    return spending.this_month(place.ledger.recorded(), place.ledger.clock.now())


def ask(place: Place, terms: Terms) -> None:
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


def approved(place: Place) -> promise.Promise:
    """The plan that was begun last; an empty one if none ever was."""
    text, where = place.ledger.approved(), f"gs://{place.settings.bucket}/approved.json"
    nothing = promise.promise(Plan(), place.name, place.settings.project)
    if text is None:
        return nothing
    found = promise.parse(text, where)
    promise.hold_stack(found, nothing)
    return found
