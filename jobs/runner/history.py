"""History: what became of the examples since those that an entry was tuned and scored on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.runner import dataset, sketch
from jobs.runner.dataset import SPLITS, NoDataset
from jobs.runner.datasets.diff import Diff, Said, compare, in_short
from jobs.runner.desired import Resolved, sources
from jobs.runner.errors import VertuneError
from jobs.runner.ledger import Entry, Ledger
from jobs.runner.lines import Source
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.rows import SplitName
from jobs.runner.storage import OpenBucket

MOST = 64 * 1024 * 1024  # bytes of either side that a plan compares, in about two seconds
_WORDS: Mapping[SplitName, str] = {"train": "training"}  # the others are words already


def since(
    entry: Entry, one: Resolved, open_bucket: OpenBucket, most: int | None = None
) -> dict[SplitName, Diff]:
    """What differs but for system instructions, of each split that is known to have been or not.

    Raises NoDataset where nothing can be compared.
    """
    if not entry.dataset_uri.startswith("gs://"):
        raise NoDataset("what it was tuned on is not recorded")
    now = one.dataset.splits
    found = {}
    for name, uri in uploaded(entry).items():
        source = now[name].source if name in now else None
        if uri or source:
            found[name] = _compared(uri, source, one.file.name, open_bucket, most)
    if _tested_is_known(entry) and (entry.tested or "test" in now):
        tested = sketch.digested(sketch.said(now["test"].source)) if "test" in now else ()
        found["test"] = compare(sketch.unpacked(entry.tested), tested)
    return found


def uploaded(entry: Entry) -> dict[SplitName, str | None]:
    """Where the examples lie that it was tuned on; None where there were none of a split."""
    if entry.imported:
        return {"train": entry.dataset_uri}
    return {"train": entry.dataset_uri, "validation": entry.validation_uri}


def _tested_is_known(entry: Entry) -> bool:
    """Not of more than an entry keeps, nor where it was written before it kept any."""
    return bool(entry.tested) or not (entry.imported or "test" in entry.splits)


def _compared(
    uri: str | None, new: Source | None, name: str, open_bucket: OpenBucket, most: int | None
) -> Diff:
    if uri is None:
        return compare((), _said(new))
    before, reading = sources(uri, Path(), open_bucket)
    old = before["train"]
    if most is not None and max(dataset.size(old), dataset.size(new) if new else 0) > most:
        raise NoDataset(f"larger than {most >> 20} MiB; `vertune dataset diff {name}` compares it")
    with reading:
        return compare(_said(old), _said(new))


def _said(source: Source | None) -> Iterator[Said]:
    return sketch.said(source) if source else iter(())


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
        notes = _notes(since(read[0], one, open_bucket, MOST))
    except (NoDataset, VertuneError) as error:
        notes = [f"training examples: not compared: {error}"]
    cost = change.desired.estimate
    cost = replace(cost, notes=(*cost.notes, *notes))
    return replace(change, desired=replace(change.desired, estimate=cost))


def _notes(found: Mapping[SplitName, Diff]) -> list[str]:
    """Of the training examples in any case, of the others where they differ."""
    return [
        f"{_WORDS.get(name, name)} examples: {in_short(found[name])}"
        for name in SPLITS
        if name in found and (found[name] or name == "train")
    ]
