"""Examined: what a check found in a dataset's examples, looked for once and with two processors.

It is kept until the bytes, the task, the instructions or the rules are other ones.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from jobs.runner import contents, dataset
from jobs.runner.beside import Beside
from jobs.runner.check import Examination, compared
from jobs.runner.dataset import Dataset
from jobs.runner.errors import Problem
from jobs.runner.lines import Source
from jobs.runner.reading import shown
from jobs.runner.rows import SplitName, Watch
from jobs.runner.rules import RULES, Finding
from jobs.runner.seen import Seen
from jobs.runner.spec import Spec

FILE = "findings.db"
LARGE = 16 * 1024 * 1024  # bytes; below, another process starts later than the first has ended
_MOST = 5000  # findings that are kept; a file that has more is looked at anew

Found = tuple[Dataset, list[Finding]]


@dataclass(frozen=True)
class Data:
    """The sources of a spec; `again` opens them in another process, where that can be."""

    sources: Mapping[SplitName, Source]
    again: Callable[[], Mapping[SplitName, Source]] | None = None


def examined(spec: Spec, data: Data, seen: Seen | None, large: int = LARGE) -> Found:
    """The dataset and what its examples say; `large` ones take two processes and show how far."""
    if seen is None:
        return _found(spec, data, large)
    read = _read(data.sources, seen)
    key = _key(spec, data.sources, read)
    if all(read.values()) and (kept := seen.get(key)):
        return _unpacked(kept, data.sources)
    found = _found(spec, data, large)
    if all(read.values()) and len(found[1]) <= _MOST and _read(data.sources, seen) == read:
        seen.put(key, _packed(found))
    return found


def _read(sources: Mapping[SplitName, Source], seen: Seen) -> Mapping[SplitName, str]:
    return {name: contents.of(source, seen) for name, source in sources.items()}


def _found(spec: Spec, data: Data, large: int) -> Found:
    size = sum(map(dataset.size, data.sources.values()))
    return _large(spec, data) if size >= large else _here(Examination(spec), spec, data.sources)


def _large(spec: Spec, data: Data) -> Found:
    with shown(data.sources) as sources:
        if data.again is None or (os.cpu_count() or 1) < 2:
            found, said = _here(Examination(spec), spec, sources)
            return _from(found, data.sources), said
        with Beside(compared(spec), data.again) as beside:
            found, said = _here(Examination(spec, alike=False), spec, sources, beside)
            others = beside.said()
        if others is None:
            others = _alike(spec, sources)
        return _from(found, data.sources), [*said, *others]


def _here(
    examination: Examination, spec: Spec, sources: Mapping[SplitName, Source], *more: Watch
) -> Found:
    found = dataset.read(sources, spec.instructions, (*examination.watches, *more))
    return found, [*examination.findings(sources)]


def _alike(spec: Spec, sources: Mapping[SplitName, Source]) -> list[Finding]:
    """What comparing the examples with each other finds."""
    alike = compared(spec)
    for rows in dataset.rows(sources, spec.instructions):
        alike.take(rows)
    return [*alike.findings(sources)]


def _from(found: Dataset, sources: Mapping[SplitName, Source]) -> Dataset:
    """The same, read from elsewhere the next time."""
    splits = {name: replace(split, source=sources[name]) for name, split in found.splits.items()}
    return replace(found, splits=splits)


def _key(spec: Spec, sources: Mapping[SplitName, Source], read: Mapping[SplitName, str]) -> str:
    shown = {name: source.shown for name, source in sources.items()}
    parts = (_version(), spec.task, spec.instructions, shown, read)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _version() -> str:
    return version(Path(__file__).parent)


def version(folder: Path) -> str:
    """Of all code that reads or looks, and its data: what it imports may decide, so no list."""
    files = [path for path in folder.iterdir() if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted([*files, *folder.glob("findings/*.py")]):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _packed(found: Found) -> dict[str, Any]:
    data, said = found
    return {
        "splits": {name: dataset.packed(split) for name, split in data.splits.items()},
        "faults": {name: _plain(split.findings) for name, split in data.splits.items()},
        "said": _plain(said),
    }


def _plain(findings: Sequence[Finding]) -> list[Any]:
    return [(f.rule.id, asdict(f.problem), f.severity, f.more) for f in findings]


def _unpacked(kept: dict[str, Any], sources: Mapping[SplitName, Source]) -> Found:
    faults = {name: tuple(map(_finding, some)) for name, some in kept["faults"].items()}
    splits = {
        name: replace(dataset.unpacked(source, kept["splits"][name]), findings=faults[name])
        for name, source in sources.items()
    }
    every = tuple(one for split in splits.values() for one in split.findings)
    return Dataset(splits, every), [*map(_finding, kept["said"])]


def _finding(kept: Any) -> Finding:
    id, problem, severity, more = kept
    return Finding(RULES[id], Problem(**problem), severity, more)
