"""Object: one of the ledger's as it lies in the bucket: its path, what is in it, its writes.

What is no entry, or of a newer format, is Unreadable, with the way out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from jobs.runner import remote, storage
from jobs.runner.entry import FORMAT, Summary
from jobs.runner.errors import Unreadable

if TYPE_CHECKING:
    from google.cloud.storage import Blob

PREFIX = "ledger/"
ACTIVE = "active"

_S = TypeVar("_S", bound=Summary)


def download(blob: Blob) -> bytes | None:
    """Its content, None if there is none; called within `storage.doing`."""
    from google.api_core.exceptions import NotFound

    try:
        return bytes(blob.download_as_bytes(timeout=remote.timeout(), retry=storage.retry()))
    except NotFound as error:
        if storage.no_bucket(error):
            raise
        return None


def upload(blob: Blob, text: str, generation: int, doing: str) -> int:
    """Write over this generation; the new one. Raises storage.Changed if it moved on."""
    try:
        with storage.doing(doing, blob.bucket):
            blob.upload_from_string(
                text,
                content_type="application/json",
                if_generation_match=generation,
                timeout=remote.timeout(),
                retry=storage.retry(),
            )
    except storage.Changed:
        # A write whose answer was lost is sent again, and loses to itself.
        with storage.doing(doing, blob.bucket):
            if download(blob) != text.encode():
                raise
    return int(blob.generation or 0)


def delete(blob: Blob, doing: str, generation: int | None) -> None:
    """What is gone already is as it should be: the answer to a first try may be lost."""
    from google.api_core.exceptions import NotFound

    with storage.doing(doing, blob.bucket):
        try:
            blob.delete(
                if_generation_match=generation, timeout=remote.timeout(), retry=storage.retry()
            )
        except NotFound as error:
            if storage.no_bucket(error):
                raise


def path(name: str, key: str) -> str:
    return f"{PREFIX}{name}/{key}.json"


class Pointer(NamedTuple):
    fingerprint: str | None
    instead_of: str | None
    aliased: bool


NOTHING = Pointer(None, None, False)


def taken_back(pointer: bytes | None) -> str | None:
    """The fingerprint that a rollback took back, if the pointer tells of one."""
    try:
        return str(json.loads(pointer or "")["instead_of"])
    except (ValueError, LookupError, TypeError):
        return None


def pointer(blob: Blob) -> Pointer:
    metadata = blob.metadata or {}
    if not metadata.get("fingerprint"):
        raise _foreign(blob)
    return Pointer(str(metadata["fingerprint"]), metadata.get("instead_of"), "aliased" in metadata)


def summary(blob: Blob) -> Summary:
    return validated(Summary, (blob.metadata or {}).get("summary") or "{}", blob)


def validated(kind: type[_S], text: bytes | str, blob: Blob) -> _S:
    """What is in an entry or its metadata, whose format must be known here."""
    try:
        entry = kind.model_validate_json(text)
    except ValueError:
        raise _newer(text, blob) or _foreign(blob) from None
    if entry.format > FORMAT or "format" not in entry.model_fields_set:
        raise _newer(text, blob) or _foreign(blob)
    if blob.name != path(entry.name, entry.fingerprint):
        raise _foreign(blob)
    return entry


def _newer(text: bytes | str, blob: Blob) -> Unreadable | None:
    """Of a newer format, whose other fields may be other ones too."""
    try:
        format = json.loads(text)["format"]
        if format <= FORMAT:
            return None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return Unreadable(
        f"{shown(blob)} is of format {format}, newer than this vertune's {FORMAT}: update vertune"
    )


def _foreign(blob: Blob) -> Unreadable:
    return Unreadable(
        f"{shown(blob)} is no entry of the ledger; restore an earlier version of the object"
        " (the bucket keeps them), or remove it if it is not vertune's"
    )


def shown(blob: Blob) -> str:
    return f"gs://{blob.bucket.name}/{blob.name}"
