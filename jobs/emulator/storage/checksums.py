"""Checksums: the CRC32C and MD5 of a body as it passes, and the refusal of one that differs."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message

from google_crc32c import extend

from jobs.emulator.errors import invalid


@dataclass(frozen=True)
class Digest:
    """Both in base64, as they travel; a composed object has no MD5."""

    size: int
    crc32c: str
    md5: str | None

    def header(self) -> str:
        return f"crc32c={self.crc32c}" + (f",md5={self.md5}" if self.md5 else "")

    def verify(self, declared: Mapping[str, str]) -> None:
        for label, kind, own in (("CRC32C", "crc32c", self.crc32c), ("MD5", "md5", self.md5)):
            if kind in declared and own is not None and declared[kind] != own:
                raise invalid(
                    f'Provided {label} hash "{declared[kind]}" doesn\'t match'
                    f' calculated {label} hash "{own}".'
                )


class Running:
    """A digest under way."""

    def __init__(self) -> None:
        self._size, self._crc32c = 0, 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, piece: bytes) -> None:
        self._size += len(piece)
        self._crc32c = extend(self._crc32c, piece)
        self._md5.update(piece)

    def digest(self) -> Digest:
        crc32c = self._crc32c.to_bytes(4, "big")
        return Digest(self._size, _base64(crc32c), _base64(self._md5.digest()))


def digest_of(pieces: Iterable[bytes]) -> Digest:
    running = Running()
    for piece in pieces:
        running.update(piece)
    return running.digest()


def declared_in(headers: Message) -> dict[str, str]:
    """`X-Goog-Hash: crc32c=AAAAAA==,md5=...` and `Content-MD5` as kind to base64."""
    listed = ",".join(headers.get_all("X-Goog-Hash", []))
    parts = (part.strip().partition("=") for part in listed.split(","))
    declared = {kind.lower(): value for kind, sign, value in parts if sign}
    if md5 := headers.get("Content-MD5"):
        declared["md5"] = md5
    return declared


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
