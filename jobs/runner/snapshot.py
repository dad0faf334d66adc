"""Snapshot: what the ledger held at one time, in a file, to plan against without credentials.

It names resources, which nobody reaches without a role; it holds no example and no prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.runner.entry import Recorded, Summary
from jobs.runner.errors import VertuneError

FORMAT = 1
_PRIVATE = {"holder", "leased", "error"}  # machines' names, and what a service said of data


class _Name(BaseModel):
    model_config = ConfigDict(frozen=True)

    entries: tuple[Summary, ...]
    active: str | None = None
    instead_of: str | None = None

    def recorded(self) -> Recorded:
        entries = {entry.fingerprint: entry for entry in self.entries}
        return Recorded(entries, self.active, self.instead_of)


class Snapshot(BaseModel):
    """What `status --snapshot` writes."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    stack: str
    project: str
    taken: datetime
    names: dict[str, _Name]

    def recorded(self) -> dict[str, Recorded]:
        return {name: one.recorded() for name, one in self.names.items()}


def text(stack: str, project: str, taken: datetime, recorded: Mapping[str, Recorded]) -> str:
    names = {name: _kept(record) for name, record in sorted(recorded.items())}
    found = Snapshot(stack=stack, project=project, taken=taken, names=names)
    return found.model_dump_json(indent=1, exclude_none=True) + "\n"


def _kept(record: Recorded) -> _Name:
    nothing = dict.fromkeys(_PRIVATE)
    entries = tuple(entry.model_copy(update=nothing) for entry in record.entries.values())
    return _Name(entries=entries, active=record.active, instead_of=record.instead_of)


def read(path: Path, stack: str, project: str) -> Snapshot:
    """Raises VertuneError for a file that is none, or one of another stack."""
    try:
        found = Snapshot.model_validate_json(path.read_bytes())
    except OSError as error:
        raise VertuneError(f"{path}: {error.strerror}") from None
    except ValidationError:
        raise VertuneError(
            f"{path} is not what `vertune status --snapshot` writes; write it again"
        ) from None
    if found.format > FORMAT:
        raise VertuneError(f"{path} is of a newer vertune; take that, or write it again")
    if (found.stack, found.project) != (stack, project):
        raise VertuneError(
            f"{path} is of stack {found.stack} of {found.project}; plan with --stack {found.stack}"
        )
    return found
