"""`vertune status`."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobs.runner import report
from jobs.runner.commands import Place, output_option, select_option
from jobs.runner.document import did_you_mean
from jobs.runner.errors import JobMissing, Passing, Unreachable, VertuneError, plain

if TYPE_CHECKING:
    from jobs.runner.entry import Recorded
    from jobs.runner.legible import Legible
    from jobs.runner.status import Shown, Status
    from jobs.runner.vertex import Job

_MOST_MISSED = 10  # looks in a row without an answer, each of them tried for a while


@click.command("status")
@select_option
@output_option
@click.option("--live", is_flag=True, help="Ask Vertex AI how far the jobs under way are.")
@click.option("--watch", is_flag=True, help="Go on asking until nothing is under way.")
@click.option("--history", is_flag=True, help="List every recorded tuning, not only the last.")
@click.option(
    "--snapshot",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also save what is recorded there, for `plan --snapshot`; no example is in it.",
)
@click.pass_obj
def command(
    place: Place,
    select: tuple[str, ...],
    output: str,
    live: bool,
    watch: bool,
    history: bool,
    file: Path | None,
) -> None:
    """Show where every spec stands: in sync with what is recorded or not, and how that fares.

    What cannot be read is named on standard error and keeps nothing else from being shown.
    Exit code 1 if a part of what is recorded, or Vertex AI, could not be read.

    Example: vertune status --live -o json
    """
    if watch and (output != "text" or history):
        raise click.UsageError("--watch shows the current state as text.")
    if file:
        _save(place, file)
    look = _Look(place, select)
    if watch:
        _watch(look, 0.5 if place.settings.emulator else 20.0)
    else:
        _print(look(live, history), output, history)
    if look.incomplete:
        click.get_current_context().exit(1)


def _save(place: Place, file: Path) -> None:
    from jobs.runner import snapshot

    recorded = place.ledger.recorded()
    now = place.ledger.clock.now()
    taken = snapshot.text(place.name, place.settings.project, now, recorded)
    try:
        file.write_text(taken, "utf-8")
    except OSError as error:
        raise VertuneError(f"{file} cannot be written: {error.strerror}") from None


def _print(found: list[Status], output: str, history: bool) -> None:
    from jobs.runner import report_status

    if output == "json":
        click.echo(report.dumps(report_status.rows(found)))
    elif not found:
        click.echo("Nothing is recorded yet; `vertune plan` says what would be tuned.")
    elif history:
        click.echo(report_status.history(found, markdown=output == "markdown"))
    elif output == "markdown":
        click.echo(report_status.markdown(found))
    else:
        click.echo(report_status.text(found))


def _watch(look: _Look, seconds: float) -> None:
    """Until nothing is under way, or until a person stops it, which stops nothing else."""
    from jobs.runner.screen import Screen

    missed = 0
    try:
        with Screen() as screen:
            while True:
                try:
                    found, missed = look(live=True), 0
                except (Unreachable, Passing) as error:
                    missed += 1
                    if missed >= _MOST_MISSED:
                        raise
                    look.say(f"{error}\nit is asked again")
                else:
                    screen.show(found)
                    if not any(one.fares.under_way for one in found):
                        return
                threading.Event().wait(seconds)
    except KeyboardInterrupt:
        click.get_current_context().exit(0)


class _Look:
    """Looks at the three states; the specs are read once, a fault is said once."""

    def __init__(self, place: Place, select: Collection[str]) -> None:
        self._place, self._select = place, select
        self._legible: Legible | None = None
        self._said: set[str] = set()
        self.incomplete = False

    def __call__(self, live: bool, history: bool = False) -> list[Status]:
        from jobs.runner import catalog, status
        from jobs.runner.health import Observed

        self.incomplete = False
        recorded, junk = self._place.ledger.survey()
        legible = self._specs()
        self._known(recorded, legible)
        self._lacks(junk)
        jobs = self._jobs(recorded) if live else {}
        states = status.States(
            stack=self._place.name,
            desired=legible.desired,
            unreadable=legible.why,
            recorded=recorded,
            observed=Observed(jobs, self._place.ledger.clock.now()),
            base_models=catalog.load().base_models,
        )
        shown: Shown = status.history if history else status.current
        return [one for one in status.statuses(states, shown) if self._chosen(one.name)]

    def _chosen(self, name: str) -> bool:
        return not self._select or name in self._select

    def _specs(self) -> Legible:
        from jobs.runner.legible import legible

        if self._legible is None:
            place, today = self._place, self._place.ledger.clock.now().date()
            here = (place.root, place.name, place.settings, place.open_bucket)
            with place.seen() as known:
                self._legible = legible(*here, today, self._select, known)
            for what in self._legible.wrong:
                self.say(what)
        return self._legible

    def _known(self, recorded: Mapping[str, Recorded], legible: Legible) -> None:
        names = {*recorded, *legible.desired, *legible.why}
        for name in self._select:
            if name not in names:
                raise VertuneError(f"nothing is recorded as {name}{did_you_mean(name, names)}")

    def _jobs(self, recorded: Mapping[str, Recorded]) -> dict[str, Job | None]:
        """Those under way by one list, those that are not in it one by one."""
        wanted = [
            entry.job
            for name, record in sorted(recorded.items())
            for entry in record.entries.values()
            if entry.state == "submitted" and entry.job and self._chosen(name)
        ]
        found: dict[str, Job | None] = {}
        try:
            under_way = {
                job.name: job for job in (self._place.vertex.under_way() if wanted else ())
            }
            for name in wanted:
                found[name] = under_way.get(name) or self._job(name)
        except VertuneError as error:
            self._lacks([str(error)])
        return found

    def _job(self, name: str) -> Job | None:
        try:
            return self._place.vertex.job(name)
        except JobMissing:
            return None

    def _lacks(self, faults: Iterable[str]) -> None:
        for fault in faults:
            self.incomplete = True
            self.say(fault)

    def say(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            click.echo("\n".join(map(plain, what.split("\n"))), err=True)
