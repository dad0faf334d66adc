"""Blobs: bodies as files under random names, so that no object's name ever becomes a path."""

import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from jobs.emulator.storage.checksums import Digest, Running

PIECE = 1 << 20


class Blobs:
    """A file is written before the transaction that refers to it and removed after the last."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, pieces: Iterable[bytes]) -> tuple[str, Digest]:
        """A new blob; a body that breaks off leaves nothing."""
        name, running = self.new(), Running()
        try:
            # No fsync: a killed process loses nothing, and a laptop's power cut may.
            with open(self.path(name), "xb", buffering=0) as file:
                for piece in pieces:
                    running.update(piece)
                    _write_all(file.fileno(), piece)
        except BaseException:
            self.remove(name)
            raise
        return name, running.digest()

    def new(self) -> str:
        return uuid.uuid4().hex

    def path(self, name: str) -> Path:
        return self._folder / name

    def open(self, name: str) -> BinaryIO:
        return open(self.path(name), "rb", buffering=0)

    def pieces(self, name: str) -> Iterator[bytes]:
        with self.open(name) as file:
            while piece := file.read(PIECE):
                yield piece

    def remove(self, *names: str) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def sweep(self, referred: set[str]) -> None:
        """Remove what a killed process left unfinished."""
        with os.scandir(self._folder) as entries:
            orphans = [entry.name for entry in entries if entry.name not in referred]
        self.remove(*orphans)


def _write_all(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]
