"""Legible: the specs of a stack that can be read, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from jobs.runner import desired, spec
from jobs.runner.desired import Resolved
from jobs.runner.errors import VertuneError
from jobs.runner.plan import Desired
from jobs.runner.seen import Seen
from jobs.runner.spec import SpecFile
from jobs.runner.stack import Settings
from jobs.runner.storage import OpenBucket


@dataclass
class Legible:
    """What is desired; by name, `why` a spec does not say it; and everything that is wrong."""

    desired: dict[str, Desired] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def fault(self, name: str, what: str) -> None:
        self.why.setdefault(name, what)
        self.wrong.append(what)


def legible(
    root: Path,
    stack: str,
    settings: Settings,
    open_bucket: OpenBucket,
    today: date,
    select: Collection[str] = (),
    seen: Seen | None = None,
) -> Legible:
    """Read what can be read; faults of one spec keep no other from being known.

    What `seen` knows already is not read again.
    """
    found = Legible()
    files, faults = spec.read(root, stack)
    chosen = _with_parents(files, select)
    for fault in faults:
        if not select or Path(fault.path).stem in {*select, *chosen}:
            found.fault(Path(fault.path).stem, str(fault))
    resolved: list[Resolved] = []
    for file in chosen.values():
        try:
            if file.name not in found.why:
                one = desired.resolve(file, root, settings, open_bucket, today, seen=seen)
                resolved.append(one)
        except VertuneError as error:  # its data is in a bucket that does not answer
            found.fault(file.name, str(error))
    _add(found, desired.linked(resolved))
    return found


def _with_parents(files: Sequence[SpecFile], select: Collection[str]) -> dict[str, SpecFile]:
    """The specs of these names, all without any, and those that they go on from."""
    by_name = {file.name: file for file in files}
    chosen: dict[str, SpecFile] = {}
    wanted = [*(select or by_name)]
    while wanted:
        name = wanted.pop(0)
        if name in by_name and name not in chosen:
            chosen[name] = by_name[name]
            wanted.append(by_name[name].spec.tuning.continue_from or "")
    return chosen


def _add(found: Legible, resolved: Sequence[Resolved]) -> None:
    parents = {one.file.name: one.file.spec.tuning.continue_from for one in resolved}
    for one in resolved:
        if one.desired is not None:
            found.desired[one.file.name] = one.desired
        elif parents[one.file.name] not in found.why:
            for finding in one.errors:
                found.fault(one.file.name, str(finding.problem))
    for name, parent in parents.items():
        if name not in found.desired:
            found.why.setdefault(name, f"goes on from {parent}, which cannot be read")
