"""Listing: a bucket's objects page by page, folded at a delimiter."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.emulator.storage.buckets import Buckets
from jobs.emulator.storage.generations import LIVE, NONCURRENT, SOFT_DELETED, Object, Store
from jobs.emulator.storage.globs import compile_glob
from jobs.emulator.storage.pages import decode_token, encode_token, limit_of
from jobs.emulator.wire import Request, Route


@dataclass(frozen=True)
class Entry:
    """An object, the common prefix that stands for it and its neighbours, or both."""

    found: Object
    is_item: bool
    prefix: str | None = None


class Listing:
    def __init__(self, store: Store, buckets: Buckets) -> None:
        self._store, self._buckets = store, buckets

    def routes(self) -> list[Route]:
        return [Route("GET", "/storage/v1/b/{bucket}/o", self._list)]

    def _list(self, request: Request) -> Mapping[str, Any]:
        bucket, limit = request.params["bucket"], limit_of(request)
        name, generation, folded = decode_token(request.first("pageToken"), "", 0, "")
        prefix, end = request.first("prefix") or "", request.first("endOffset") or ""
        start = max(prefix, request.first("startOffset") or "", str(name))
        with self._store.edit() as objects:
            self._buckets.find(bucket)
            after = (str(name), int(generation))
            found = objects.scan(bucket, _states(request), start, after, end)
            entries = _folded(_matching(found, prefix, request), prefix, request, str(folded))
            return _page(entries, limit, request.origin)


def _states(request: Request) -> tuple[str, ...]:
    if request.flag("softDeleted"):
        return (SOFT_DELETED,)
    return (LIVE, NONCURRENT) if request.flag("versions") else (LIVE,)


def _matching(found: Iterable[Object], prefix: str, request: Request) -> Iterator[Object]:
    glob = request.first("matchGlob")
    pattern = compile_glob(glob) if glob else None
    for each in found:
        if not each.name.startswith(prefix):
            return  # in the order of names nothing after it does
        if pattern is None or pattern.fullmatch(each.name):
            yield each


def _folded(found: Iterable[Object], prefix: str, request: Request, last: str) -> Iterator[Entry]:
    """`last`: the common prefix that the page before ended with."""
    delimiter = request.first("delimiter")
    for each in found:
        at = each.name.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0 or not delimiter:
            yield Entry(each, True)
            continue
        common = each.name[: at + len(delimiter)]
        is_item = each.name == common and request.flag("includeTrailingDelimiter")
        if is_item or common != last:
            yield Entry(each, is_item, common if common != last else None)
        last = common


def _page(entries: Iterator[Entry], limit: int, origin: str) -> dict[str, Any]:
    page: dict[str, Any] = {"kind": "storage#objects"}
    items: list[dict[str, Any]] = []
    prefixes: list[str] = []
    last: Entry | None = None
    for entry in entries:
        if last and len(items) + len(prefixes) >= limit:
            position = last.found.name, last.found.generation, last.prefix or ""
            page["nextPageToken"] = encode_token(*position)
            break
        if entry.is_item:
            items.append(entry.found.to_json(origin))
        if entry.prefix is not None:
            prefixes.append(entry.prefix)
        last = entry
    return {**page, **({"prefixes": prefixes} if prefixes else {}), "items": items}
