"""Commands: one short module each, with the attribute `command`; here is what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

    from jobs.runner.desired import Resolved
    from jobs.runner.ledger import Ledger, Owner
    from jobs.runner.promotion import Earlier
    from jobs.runner.registry import Registry
    from jobs.runner.spec import SpecFile
    from jobs.runner.stack import Settings, Stack
    from jobs.runner.vertex import Vertex

_CACHE = ".vertune/cache"

F = TypeVar("F", bound=Callable[..., Any])


class Place:
    """The repository and stack a command is run for; everything is opened when first asked for."""

    def __init__(self, name: str, root: Path | None) -> None:
        self.name, self._root = name, root

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
        from jobs.runner.promotion import Earlier

        name = self.settings.promotes_from
        return Earlier(name, Place(name, self.root).ledger.recorded()) if name else None

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
        outputs = dict(stack.record(self.stack))
        self.ledger.note(digest)
        return outputs

    def resolve(self, select: Sequence[str] = ()) -> list[Resolved]:
        """The specs of this stack, read and checked; faulty specs raise, faulty data is found."""
        from jobs.runner import spec

        return self.resolved(spec.load(self.root, self.name, select))

    def resolved(self, files: Sequence[SpecFile], examine: bool = False) -> list[Resolved]:
        """Some specs with their data, each linked to the one it goes on from.

        With `examine` also what the examples themselves say is looked at.
        """
        from jobs.runner import desired
        from jobs.runner.seen import Seen

        today, here = datetime.now(UTC).date(), (self.root, self.settings, self.open_bucket)
        every = [*files, *self._parents(files)]
        with Seen(self.root / _CACHE) as seen:
            found = [
                desired.resolve(file, *here, today, examine=examine, seen=seen) for file in every
            ]
        return desired.linked(found)[: len(files)]

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
