"""Legible: the specs of a stack that can be read, and why the others cannot."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from jobs.runner import desired, spec
from jobs.runner.desired import OpenBucket
from jobs.runner.errors import VertuneError
from jobs.runner.plan import Desired
from jobs.runner.spec import SpecFile
from jobs.runner.stack import Settings


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
) -> Legible:
    """Read what can be read; faults of one spec keep no other from being known."""
    found = Legible()
    files, faults = spec.read(root, stack)
    for fault in faults:
        if not select or Path(fault.path).stem in select:
            found.fault(Path(fault.path).stem, str(fault))
    for file in files:
        if file.name not in found.why and (not select or file.name in select):
            _add(found, file, root, settings, open_bucket, today)
    return found


def _add(
    found: Legible,
    file: SpecFile,
    root: Path,
    settings: Settings,
    open_bucket: OpenBucket,
    today: date,
) -> None:
    try:
        one = desired.resolve(file, root, settings, open_bucket, today)
    except VertuneError as error:  # its data is in a bucket that does not answer
        found.fault(file.name, str(error))
        return
    for finding in one.errors:
        found.fault(file.name, str(finding.problem))
    if one.desired is not None:
        found.desired[file.name] = one.desired
