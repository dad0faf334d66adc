"""The ledger against itself: objects that were edited, junk, and pointers that lead nowhere."""

import json
from collections.abc import Iterator

from jobs.runner.drift.difference import Difference, Kind
from jobs.runner.drift.sight import Sight
from jobs.runner.entry import Entry, Summary

# What the metadata of an entry did not have from the beginning.
_LATER = {"previous", "epochs", "estimated_tokens"}
_STOPS = "plan and apply refuse to work until it is mended"


def of_ledger(seen: Sight) -> Iterator[Difference]:
    for said in seen.junk:
        yield _unreadable("", said, _STOPS)
    for entry, _ in seen.entries():
        body = seen.bodies.get((entry.name, entry.fingerprint))
        if isinstance(body, str):
            yield _unreadable(entry.name, body, "apply cannot go on with this tuning")
        elif body is not None and (fields := edited(entry, body)):
            yield _edited(seen, entry, fields)
    yield from _dangling(seen)


def _unreadable(name: str, said: str, means: str) -> Difference:
    """`said` names the object first, and ends with what to do."""
    resource, _, rest = said.partition(" ")
    what, _, advice = rest.partition("; " if "; " in rest else ": ")
    return Difference(Kind.UNREADABLE, name, resource, what, means, advice)


def edited(entry: Summary, body: Entry) -> list[str]:
    """The fields in which an object's metadata and its body differ."""
    listed = json.loads(entry.model_dump_json(exclude_none=True))
    held = json.loads(body.summary())
    unsaid = {k for k in _LATER if not listed.get(k)}
    return sorted(k for k in {*listed, *held} - unsaid if listed.get(k) != held.get(k))


def _edited(seen: Sight, entry: Summary, fields: list[str]) -> Difference:
    return Difference(
        Kind.EDITED,
        entry.name,
        seen.url(entry.name, entry.fingerprint),
        f"its metadata and its body differ in {', '.join(fields)}",
        "plan, status and the outputs go by the metadata, apply by the body",
        "restore an earlier version of the object; the bucket keeps them",
    )


def _dangling(seen: Sight) -> Iterator[Difference]:
    for name, record in sorted(seen.recorded.items()):
        if record.active is None or record.served is not None:
            continue
        yield Difference(
            Kind.DANGLING,
            name,
            seen.url(name, record.active),
            "is to be served, and is not in the ledger",
            "the outputs have no tuned model of this name",
            "`vertune apply` finds its job by the labels and records it; nothing is paid again"
            if seen.asked(name, record.active)
            else "restore an earlier version of the object; the bucket keeps them",
        )
