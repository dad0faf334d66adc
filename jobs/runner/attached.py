"""Attached: the files that examples name, looked up where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.runner import dataset, remote, rules
from jobs.runner.dataset import Dataset
from jobs.runner.errors import VertuneError
from jobs.runner.estimate import counted
from jobs.runner.forms import FilePart
from jobs.runner.found import Found
from jobs.runner.lines import Source
from jobs.runner.rules import Finding
from jobs.runner.storage import OpenBucket, doing, retry

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

MOST = 500  # files of a split that are looked up, in some seconds
_AT_ONCE = 8


@dataclass
class _Named:
    """The first files of a split with the line that names them first, and how many others."""

    lines: dict[str, int] = field(default_factory=dict)
    others: set[int] = field(default_factory=set)


def findings(
    data: Dataset, own: str, open_bucket: OpenBucket, most: int = MOST
) -> Iterator[Finding]:
    """What is wrong with files; `own` is the stack's bucket. Asks nothing where none is named."""
    for split in data.splits.values():
        if split.with_files:
            found = Found(split.source.shown)
            named = _named(split.source, most)
            _foreign(named.lines, own, found)
            try:
                _missing(named.lines, open_bucket, found)
            except VertuneError as error:
                found.add(rules.FILES_UNSEEN, 0, f"names files that were not looked up: {error}")
            if named.others:
                what = f"names {counted(len(named.others), 'more file')}, which were not looked up"
                found.add(rules.FILES_UNSEEN, 0, what)
            yield from found.all()


def _named(source: Source, most: int) -> _Named:
    named = _Named()
    with suppress(OSError):  # of a file that changed: what the first reading said, holds
        for number, uri in _uris(source):
            if uri in named.lines or len(named.lines) < most:
                named.lines.setdefault(uri, number)
            else:
                named.others.add(hash(uri))
    return named


def _uris(source: Source) -> Iterator[tuple[int, str]]:
    for numbers, some in dataset.examples(source, None, Found(source.shown)):
        for number, example in zip(numbers, some, strict=True):
            for part in (part for turn in example.contents for part in turn.parts):
                if isinstance(part, FilePart):
                    yield number, part.fileData.fileUri


def _foreign(lines: Mapping[str, int], own: str, found: Found) -> None:
    """The first of each bucket."""
    seen = {own}
    for uri, line in lines.items():
        name, _ = _parts(uri)
        if name not in seen:
            what = f"names files in gs://{name}, which is not the stack's bucket (gs://{own})"
            found.add(rules.FILE_FOREIGN, line, what)
            seen.add(name)


def _missing(lines: Mapping[str, int], open_bucket: OpenBucket, found: Found) -> None:
    buckets = {name: open_bucket(name) for name in {_parts(uri)[0] for uri in lines} if name}

    def there(uri: str) -> bool:
        name, path = _parts(uri)
        return bool(name and path) and _exists(buckets[name], path)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for (uri, line), is_there in zip(lines.items(), pool.map(there, lines), strict=True):
            if not is_there:
                found.add(rules.FILE_GONE, line, f"names {uri[:200]}, which is not there")


def _exists(bucket: Bucket, path: str) -> bool:
    with doing(f"looking for gs://{bucket.name}/{path[:100]}", bucket):
        return bool(bucket.blob(path).exists(timeout=remote.timeout(), retry=retry()))


def _parts(uri: str) -> tuple[str, str]:
    name, _, path = uri.removeprefix("gs://").partition("/")
    return name, path
