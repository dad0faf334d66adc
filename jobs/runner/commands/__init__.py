"""Commands: one short module each, with the attribute `command`; here is what they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

    from jobs.runner.counting import Counting
    from jobs.runner.desired import Resolved
    from jobs.runner.ledger import Ledger, Owner, Recorded
    from jobs.runner.promotion import Earlier
    from jobs.runner.registry import Registry
    from jobs.runner.seen import Seen
    from jobs.runner.selection import Selection
    from jobs.runner.spec import SpecFile
    from jobs.runner.stack import Settings, Stack
    from jobs.runner.vertex import Vertex

_CACHE = ".vertune/cache"

F = TypeVar("F", bound=Callable[..., Any])


class Place:
    """The repository and stack a command is run for; everything is opened when first asked for."""

    def __init__(self, name: str | None, root: Path | None) -> None:
        self._name, self._root = name, root

    @property
    def name(self) -> str:
        return self.selection.name

    @cached_property
    def selection(self) -> Selection:
        from jobs.runner import selection

        if self._name:
            return selection.Selection(self._name, "--stack")
        return selection.select(self.root, os.environ)

    @cached_property
    def root(self) -> Path:
        from jobs.runner import stack

        return stack.find_root((self._root or Path.cwd()).resolve())

    @cached_property
    def settings(self) -> Settings:
        from jobs.runner import stack

        return stack.settings(self.root, self.name)

    @cached_property
    def stack(self) -> Stack:
        from jobs.runner import stack

        return stack.load(self.root, self.name)

    def seen(self, file: str | None = None) -> Seen:
        """What earlier commands read of the splits, or what else is kept under that name."""
        from jobs.runner import seen

        return seen.Seen(self.root / _CACHE, file or seen.FILE)

    def open_bucket(self, name: str) -> Bucket:
        from jobs.runner import storage

        return storage.bucket(name, self.settings.project, self.stack.endpoint)

    @cached_property
    def bucket(self) -> Bucket:
        return self.open_bucket(self.settings.bucket)

    @cached_property
    def ledger(self) -> Ledger:
        from jobs.runner.ledger import Ledger

        return Ledger(self.bucket)

    @cached_property
    def earlier(self) -> Earlier | None:
        """The stack that this one promotes from, if its settings name one."""
        from jobs.runner import promotion

        if self.before is None:
            return None
        apart = promotion.apart(self.before.settings, self.settings)
        return promotion.Earlier.read(self.before.name, self.before.ledger, self.name, apart)

    @cached_property
    def before(self) -> Place | None:
        """The same repository in the stack that this one promotes from."""
        name = self.settings.promotes_from
        return Place(name, self.root) if name else None

    @cached_property
    def owner(self) -> Owner:
        from jobs.runner import stack
        from jobs.runner.ledger import Owner
        from jobs.runner.origin import origin

        project = stack.project_name(self.root)
        return Owner(project=project, stack=self.name, repository=origin(self.root))

    @cached_property
    def vertex(self) -> Vertex:
        from jobs.runner.vertex import Vertex

        return Vertex(self.settings.project, self.settings.region, self.stack.endpoint)

    @cached_property
    def registry(self) -> Registry:
        from jobs.runner.registry import Registry

        return Registry(self.stack.endpoint)

    def record(self) -> dict[str, Any]:
        """Refresh the stack's outputs, note which they are, and return them."""
        from jobs.runner import ledger, stack

        digest = ledger.digest_of(ledger.exported(self.ledger.recorded()))
        outputs = dict(stack.record(self.stack, partial(click.echo, err=True)))
        self.ledger.note(digest)
        return outputs

    def read(self, select: Sequence[str] = ()) -> tuple[dict[str, Recorded], list[Resolved]]:
        """What is recorded and what is wanted: the ledger is listed while the specs are read.

        What is selected may be recorded alone, its spec being gone.
        """
        from jobs.runner import spec

        ledger = self.ledger
        with ThreadPoolExecutor(1) as beside:
            recorded = beside.submit(ledger.recorded)
            with_spec = [name for name in select if name in spec.names(self.root)]
            resolved = self.resolve(with_spec) if with_spec or not select else []
            if not {*select} <= {*with_spec, *recorded.result()}:
                self.resolve(select)  # raises, with a guess at what was meant
            return recorded.result(), resolved

    def others(self, select: Sequence[str]) -> set[str]:
        """The names of the specs that are not selected, where some are."""
        from jobs.runner import spec

        return spec.names(self.root) - {*select} if select else set()

    def resolve(self, select: Sequence[str] = ()) -> list[Resolved]:
        """The specs of this stack, read and checked; faulty specs raise, faulty data is found."""
        from jobs.runner import spec

        return self.resolved(spec.load(self.root, self.name, select))

    def resolved(self, files: Sequence[SpecFile], examine: bool = False) -> list[Resolved]:
        """Some specs with their data, each linked to the one it goes on from.

        With `examine` also what the examples themselves say is looked at.
        """
        from jobs.runner import desired, examined

        today, here = datetime.now(UTC).date(), (self.root, self.settings, self.open_bucket)
        every = [*files, *self._parents(files)]
        with self.seen(examined.FILE if examine else None) as known:
            found = [
                desired.resolve(file, *here, today, examine=examine, seen=known) for file in every
            ]
        return desired.linked(found if examine else self._remembered(found))[: len(files)]

    def _remembered(self, resolved: Sequence[Resolved]) -> list[Resolved]:
        """With the service's own counts of their tokens that were asked for before."""
        from jobs.runner import counting

        with self.seen(counting.FILE) as answers:
            return [self._counting(answers).remembered(one) for one in resolved]

    def counted(self, resolved: Sequence[Resolved], names: Collection[str]) -> list[Resolved]:
        """These with the service's own count of their tokens, for the specs of these names."""
        from jobs.runner import counting
        from jobs.runner.progress import Watch

        found = list(resolved)
        with self.seen(counting.FILE) as answers, Watch() as watch:
            for place, one in enumerate(found):
                if one.file.name in names and one.desired:
                    vertex = self.vertex.at(one.desired.serving_location)
                    total = one.dataset.train.examples
                    heard = partial(watch.counted, one.file.name, total)
                    found[place] = self._counting(answers).counted(one, vertex, heard)
        return found

    def _counting(self, answers: Seen) -> Counting:
        from jobs.runner.counting import Counting

        return Counting(answers, "the emulator" if self.settings.emulator else "Vertex AI")

    def _parents(self, files: Sequence[SpecFile]) -> list[SpecFile]:
        """The specs that are not among these and that these go on from."""
        from jobs.runner import spec

        names = {file.name for file in files}
        if not any(file.spec.tuning.continue_from not in (None, *names) for file in files):
            return []
        others = {f.name: f for f in spec.read(self.root, self.name)[0] if f.name not in names}
        found: list[SpecFile] = []
        for file in (files := [*files]):
            on = others.pop(file.spec.tuning.continue_from or "", None)
            if on is not None:
                found.append(on)
                files.append(on)
        return found


def output_option(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
        help="How the result is printed.",
    )(command)


def select_option(command: F) -> F:
    return click.option(
        "--select", multiple=True, metavar="NAME", help="Only this spec; may be given again."
    )(command)
