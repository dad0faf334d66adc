"""Files that prompts and examples name: the local trainer, which reads text only, gets their names.

Each is looked up, as the service reads it. It counts for 258 tokens, as the least image does there,
and what its name has; nothing is read of it.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import BinaryIO

TOKENS = 258
_MODALITIES = {"image": "IMAGE", "audio": "AUDIO", "video": "VIDEO", "text": "TEXT"}

OpenObject = Callable[[str, str], BinaryIO | None]


class FileError(Exception):
    """A file that cannot be taken; the message says why."""


class Files:
    """The objects of the emulated buckets, of which it is enough that they are there."""

    def __init__(self, open_object: OpenObject) -> None:
        self._open = open_object

    def said(self, mime_type: str, uri: str) -> str:
        """What stands for it in a text. Raises FileError."""
        location = split_uri(uri)
        if location is None:
            raise FileError(f"Invalid or unsupported file uri: {uri[:200]}")
        if not mime_type:
            raise FileError(f"The mimeType of {uri[:200]} is empty.")
        stream = self._open(*location)
        if stream is None:
            raise FileError(f"{uri[:200]} does not exist, or the service agent may not read it.")
        stream.close()
        return f"[{mime_type} {location[1].rpartition('/')[2]}]"


def split_uri(uri: str) -> tuple[str, str] | None:
    found = re.fullmatch(r"gs://([^/]+)/(.+)", uri)
    return (found[1], found[2]) if found else None


def tokens(mime_types: Sequence[str]) -> int:
    return TOKENS * len(mime_types)


def details(text: int, mime_types: Sequence[str]) -> list[dict[str, object]]:
    """Tokens by modality, as the service lists them."""
    count = Counter({"TEXT": text})
    for one in mime_types:
        count[_MODALITIES.get(one.partition("/")[0], "DOCUMENT")] += TOKENS
    return [{"modality": name, "tokenCount": number} for name, number in count.items()]
