"""Promise: a plan as it was reviewed, so that what is applied is that and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.runner.entry import Recorded
from jobs.runner.errors import VertuneError
from jobs.runner.plan import Action, Change, Plan

FORMAT = 1
_AGAIN = "; plan again and have that reviewed"


class Promised(BaseModel):
    """One change that was reviewed."""

    model_config = ConfigDict(frozen=True)

    action: str
    name: str
    fingerprint: str
    price_usd: float | None = None
    after: str | None = None  # the failed job that a retry comes after

    def __str__(self) -> str:
        return f"{self.action} {self.name} ({self.fingerprint[:12]})"


class Promise(BaseModel):
    """What `plan --out` writes."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    stack: str
    project: str
    changes: tuple[Promised, ...]
    checksum: str

    def covers(self, change: Change) -> bool:
        """Whether this very tuning of this name was reviewed."""
        return (change.name, change.fingerprint) in {(c.name, c.fingerprint) for c in self.changes}

    def goes_on(self, change: Change) -> bool:
        """Whether to do it is going on: with what was begun, or with what was reviewed."""
        if change.action is Action.RESUME:
            return True
        mine = _promised(change)
        same = [c for c in self.changes if (c.name, c.fingerprint) == (mine.name, mine.fingerprint)]
        as_dear = any((c.price_usd, c.after) == (mine.price_usd, mine.after) for c in same)
        return as_dear if change.costs else bool(same)


def promise(plan: Plan, stack: str, project: str) -> Promise:
    """The plan's changes, blocked ones apart, and a checksum over them."""
    changes = tuple(_promised(c) for c in plan.changes if c.action is not Action.BLOCKED)
    checksum = _checksum(stack, project, changes)
    return Promise(stack=stack, project=project, changes=changes, checksum=checksum)


def _checksum(stack: str, project: str, changes: Iterable[Promised]) -> str:
    body = [stack, project, *sorted(change.model_dump_json() for change in changes)]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()[:16]


def _promised(change: Change) -> Promised:
    """What waits is promised as what it becomes, for what its text says that it costs.

    What was counted or billed since is not known to every machine that has the same plan.
    """
    cost = change.desired.estimate.offline.price_usd if change.desired and change.costs else None
    before = change.source if change.costs else None
    again = before is not None and before.fingerprint == change.fingerprint
    return Promised(
        after=before.job if before and again else None,
        action=(change.then or change.action).word,
        name=change.name,
        fingerprint=change.fingerprint,
        price_usd=None if cost is None else round(cost, 4),
    )


def read(path: Path) -> Promise:
    """Raises VertuneError for a file that is no saved plan, or one of a newer vertune."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise VertuneError(f"{path} cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def parse(text: bytes, where: str) -> Promise:
    try:
        values: Any = json.loads(text)
        if values["format"] > FORMAT:
            raise VertuneError(f"{where} was written by a newer vertune; update this one")
        found = Promise.model_validate(values)
    except (ValueError, LookupError, TypeError, ValidationError):
        raise VertuneError(f"{where} is no plan that `vertune plan --out` wrote") from None
    if found.checksum != _checksum(found.stack, found.project, found.changes):
        raise VertuneError(f"{where} was edited: it is not what its checksum says{_AGAIN}")
    return found


def hold(reviewed: Promise, now: Promise, recorded: Mapping[str, Recorded]) -> None:
    """Raises VertuneError unless what is to be done now is what was reviewed, or the rest of it."""
    hold_stack(reviewed, now)
    if broken := [*_added(reviewed, now), *_lost(reviewed, now, recorded)]:
        raise VertuneError("\n".join(["this is not what was reviewed" + _AGAIN + ":", *broken]))


def hold_stack(reviewed: Promise, now: Promise) -> None:
    """Raises VertuneError for the plan of another stack."""
    if (reviewed.stack, reviewed.project) != (now.stack, now.project):
        raise VertuneError(
            f"the plan is of stack {reviewed.stack}, project {reviewed.project}; this is stack"
            f" {now.stack}, project {now.project}"
        )


def hold_checksum(checksum: str, now: Promise) -> None:
    if checksum != now.checksum:
        changes = [f"  {change}" for change in now.changes] or ["  nothing"]
        said = (
            f"the plan's checksum is {now.checksum} now, not {checksum}{_AGAIN}; it would now do:"
        )
        raise VertuneError("\n".join([said, *changes]))


def _added(reviewed: Promise, now: Promise) -> Iterator[str]:
    """What would be done and nobody has seen; to finish what was begun is no news."""
    seen = {(c.name, c.fingerprint): c for c in reviewed.changes}
    for change in now.changes:
        before = seen.get((change.name, change.fingerprint))
        if before is None:
            yield f"  new: {change}"
        elif change.action in ("submit", "retrain") and before != change:
            yield f"  changed: {before}, ${before.price_usd} → {change}, ${change.price_usd}"


def _lost(reviewed: Promise, now: Promise, recorded: Mapping[str, Recorded]) -> Iterator[str]:
    """What was reviewed and is not to be done any more, although it has not been done."""
    left = {(c.name, c.fingerprint) for c in now.changes}
    for change in reviewed.changes:
        if (change.name, change.fingerprint) not in left and not _done(change, recorded):
            yield f"  gone: {change}"


def _done(change: Promised, recorded: Mapping[str, Recorded]) -> bool:
    record = recorded.get(change.name, Recorded())
    if change.action == Action.FORGET.word:
        return record.active != change.fingerprint
    entry = record.entries.get(change.fingerprint)
    return entry is not None and not entry.in_flight
