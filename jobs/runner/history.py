"""History: what became of the training examples since those that an entry was tuned on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as without

from jobs.runner import dataset
from jobs.runner.dataset import NoDataset
from jobs.runner.datasets.diff import Diff, Said, compare, in_short
from jobs.runner.desired import OpenBucket, Resolved, sources
from jobs.runner.errors import VertuneError
from jobs.runner.found import Found
from jobs.runner.ledger import Entry, Ledger
from jobs.runner.lines import Source
from jobs.runner.plan import Action, Change, Plan

MOST = 64 * 1024 * 1024  # bytes of either side that a plan compares, in about two seconds


def since(entry: Entry, one: Resolved, open_bucket: OpenBucket, most: int | None = None) -> Diff:
    """What differs but for system instructions. Raises NoDataset where nothing can be compared."""
    where = entry.dataset_uri
    if not where.startswith("gs://"):
        raise NoDataset("what it was tuned on is not recorded")
    before, reading = sources(where, Path(), open_bucket)
    old, new = before["train"], one.dataset.train.source
    if most is not None and max(dataset.size(old), dataset.size(new)) > most:
        name = one.file.name
        raise NoDataset(f"larger than {most >> 20} MiB; `vertune dataset diff {name}` compares it")
    with reading:
        return compare(_said(old), _said(new))


def _said(source: Source) -> Iterator[Said]:
    """Without the system instruction: a new one would make every example another one."""
    faults = Found(source.shown)
    for numbers, some in dataset.examples(source, None, faults):
        for number, example in zip(numbers, some, strict=True):
            yield number, without(example, system=None).asked, example.answer
    if faults.errors:
        raise NoDataset(f"{source.shown} holds lines that are no examples")


def told(plan: Plan, resolved: Sequence[Resolved], ledger: Ledger, open_bucket: OpenBucket) -> Plan:
    """With a note of what became of the examples, where a change of them is why to retrain."""
    by_name = {one.file.name: one for one in resolved}
    return replace(
        plan,
        changes=tuple(
            _noted(change, by_name[change.name], ledger, open_bucket)
            if _other_data(change)
            else change
            for change in plan.changes
        ),
    )


def _other_data(change: Change) -> bool:
    if change.action is not Action.RETRAIN or not (change.desired and change.source):
        return False
    return bool(change.desired.inputs["dataset"] != change.source.inputs.get("dataset"))


def _noted(change: Change, one: Resolved, ledger: Ledger, open_bucket: OpenBucket) -> Change:
    """A comparison that fails is no reason to plan nothing."""
    assert change.desired
    assert change.source
    try:
        read = ledger.read(change.source.name, change.source.fingerprint)
        if read is None:
            return change
        said = in_short(since(read[0], one, open_bucket, MOST))
    except (NoDataset, VertuneError) as error:
        said = f"not compared: {error}"
    cost = change.desired.estimate
    cost = replace(cost, notes=(*cost.notes, f"training examples: {said}"))
    return replace(change, desired=replace(change.desired, estimate=cost))
