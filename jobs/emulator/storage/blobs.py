"""Blobs: bodies under random names, so that no object's name ever becomes a path."""

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO

from jobs.emulator.errors import not_found
from jobs.emulator.state import State
from jobs.emulator.storage.checksums import Digest, Running

_SCHEMA = """
CREATE TABLE IF NOT EXISTS storage_small (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
PIECE = 1 << 20
SMALL = 1 << 16  # up to here a row costs a tenth of what a file does
_MARK = "small-"


@dataclass(frozen=True)
class Blob:
    """A finished body; a small one is in memory until `Blobs.keep`."""

    name: str
    digest: Digest
    small: bytes | None = None


class Blobs:
    """A file is there before the transaction that refers to it, and goes after the last that did;
    a small body comes and goes with them."""

    def __init__(self, state: State, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._state, self._folder = state, folder
        state.define(_SCHEMA)

    def write(self, pieces: Iterable[bytes]) -> Blob:
        """A body that breaks off leaves nothing."""
        running, arrived, rest = Running(), b"", iter(pieces)
        for piece in rest:
            running.update(piece)
            arrived += piece
            if len(arrived) > SMALL:
                return self._write_file(running, arrived, rest)
        return Blob(_MARK + uuid.uuid4().hex, running.digest(), arrived)

    def _write_file(self, running: Running, arrived: bytes, rest: Iterator[bytes]) -> Blob:
        name = self.create()
        try:
            # No fsync: a killed process loses nothing, and a laptop's power cut may.
            with FileIO(self._path(name), "r+") as file:
                write_all(file, arrived)
                for piece in rest:
                    running.update(piece)
                    write_all(file, piece)
        except BaseException:
            self.remove(name)
            raise
        return Blob(name, running.digest())

    def keep(self, blob: Blob) -> None:
        """To be called in the transaction that refers to the blob."""
        if blob.small is not None:
            with self._state.transaction() as database:
                database.execute("INSERT INTO storage_small VALUES (?, ?)", (blob.name, blob.small))

    def create(self) -> str:
        """An empty file, to be filled under `locked`."""
        name = uuid.uuid4().hex
        self._path(name).touch(exist_ok=False)
        return name

    @contextmanager
    def locked(self, name: str) -> Iterator[FileIO]:
        """The file, open for writing by one request at a time."""
        try:
            file = FileIO(self._path(name), "r+")
        except FileNotFoundError:
            raise not_found("The upload has ended.") from None
        with file:
            flock(file, LOCK_EX)
            yield file

    def open(self, name: str) -> BinaryIO:
        if not name.startswith(_MARK):
            return FileIO(self._path(name))
        with self._state.transaction() as database:
            (body,) = database.execute(
                "SELECT body FROM storage_small WHERE name = ?", (name,)
            ).fetchone()
        return BytesIO(body)

    def pieces(self, name: str) -> Iterator[bytes]:
        with self.open(name) as file:
            while piece := file.read(PIECE):
                yield piece

    def remove(self, *names: str) -> None:
        self.unlink(self.drop(names))

    def drop(self, names: Iterable[str]) -> list[str]:
        """Inside a transaction: small bodies go with it, the files named go after it."""
        files = [name for name in names if not name.startswith(_MARK)]
        small = [(name,) for name in names if name.startswith(_MARK)]
        if small:
            with self._state.transaction() as database:
                database.executemany("DELETE FROM storage_small WHERE name = ?", small)
        return files

    def unlink(self, files: Iterable[str]) -> None:
        for name in files:
            self._path(name).unlink(missing_ok=True)

    def sweep(self, referred: set[str]) -> None:
        """Remove the files that a killed process left unfinished."""
        with os.scandir(self._folder) as entries:
            self.unlink([entry.name for entry in entries if entry.name not in referred])

    def _path(self, name: str) -> Path:
        return self._folder / name


def write_all(file: FileIO, piece: bytes) -> None:
    """All of it: an unbuffered file may take less at a time."""
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]
