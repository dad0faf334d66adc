"""Upload: the examples of a dataset as create-only objects named by their digest."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from jobs.runner import remote
from jobs.runner.dataset import Dataset, Split
from jobs.runner.errors import VertuneError
from jobs.runner.example import BadExample
from jobs.runner.storage import Changed, doing, retry

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

_IN_MEMORY = 8 * 1024 * 1024  # more is converted on disk and sent in pieces of this size
_SENDING_SECONDS = 60.0  # for the answer to a piece; how long it is on its way does not count
_TUNED_ON = ("train", "validation")


def upload(dataset: Dataset, instructions: str | None, bucket: Bucket) -> Mapping[str, str]:
    """The gs:// URIs of train and validation, in today's form; what is there is not sent again.

    Raises VertuneError if the data is no longer what was planned.
    """
    return {
        name: _upload(split, instructions, f"datasets/{dataset.digest}/{name}.jsonl", bucket)
        for name, split in dataset.splits.items()
        if name in _TUNED_ON
    }


def _upload(split: Split, instructions: str | None, path: str, bucket: Bucket) -> str:
    with doing(f"uploading {split.source.shown}", bucket):
        there = bucket.blob(path).exists(timeout=remote.timeout(), retry=retry())
    if not there:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as converted:
            with doing(f"reading {split.source.shown}", bucket):
                _convert(split, instructions, converted)
            _send(split, converted, path, bucket)
    return f"gs://{bucket.name}/{path}"


def _convert(split: Split, instructions: str | None, converted: IO[bytes]) -> None:
    digest = hashlib.sha256()
    try:
        for example in split.read(instructions):
            line = example.line()
            digest.update(line)
            converted.write(line)
    except (BadExample, FileNotFoundError):
        raise _moved(split) from None
    if digest.hexdigest() != split.digest:
        raise _moved(split)


def _send(split: Split, converted: IO[bytes], path: str, bucket: Bucket) -> None:
    size = converted.tell()
    blob = bucket.blob(path, chunk_size=_IN_MEMORY)
    blob.metadata = {"sha256": split.digest, "examples": str(split.examples)}
    try:
        with doing(f"uploading {split.source.shown}", bucket):
            blob.upload_from_file(
                converted,
                rewind=True,
                size=size,
                content_type="application/jsonl",
                if_generation_match=0,
                timeout=remote.patient(_SENDING_SECONDS),
                retry=retry(),
            )
    except Changed:
        return  # the same bytes, sent by somebody else or by a call whose answer was lost


def _moved(split: Split) -> VertuneError:
    return VertuneError(f"{split.source.shown} changed while it was read; plan again")
