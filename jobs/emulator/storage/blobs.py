"""Blobs: bodies as files under random names, so that no object's name ever becomes a path."""

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from io import FileIO
from pathlib import Path

from jobs.emulator.errors import not_found
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
            with FileIO(self.path(name), "x") as file:
                for piece in pieces:
                    running.update(piece)
                    write_all(file, piece)
        except BaseException:
            self.remove(name)
            raise
        return name, running.digest()

    def new(self) -> str:
        return uuid.uuid4().hex

    def create(self) -> str:
        """An empty blob, to be filled under `locked`."""
        name = self.new()
        self.path(name).touch(exist_ok=False)
        return name

    @contextmanager
    def locked(self, name: str) -> Iterator[FileIO]:
        """The blob, open for writing by one request at a time."""
        try:
            file = FileIO(self.path(name), "r+")
        except FileNotFoundError:
            raise not_found("The upload has ended.") from None
        with file:
            flock(file, LOCK_EX)
            yield file

    def path(self, name: str) -> Path:
        return self._folder / name

    def open(self, name: str) -> FileIO:
        return FileIO(self.path(name))

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


def write_all(file: FileIO, piece: bytes) -> None:
    """All of it: an unbuffered file may take less at a time."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]
