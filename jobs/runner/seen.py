"""Seen: what reading a split found, kept until its bytes or what reads them are other ones.

A cache: it may be removed at any time, and what cannot be read or written of it is passed over.
What is uploaded is read again and compared, so a wrong memory could stop an apply, not mislead it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

FILE = "splits.db"
_READERS = ("dataset", "example", "forms", "lines", "prompt", "rows", "seen", "tokens", "weighing")
_SECONDS = 1.0  # for another process that writes


class Seen:
    """A context manager; what was put is written when it ends."""

    def __init__(self, folder: Path, file: str = FILE) -> None:
        self._file = folder / file
        self._known: dict[str, str] | None = None
        self._new: dict[str, str] = {}

    def __enter__(self) -> Seen:
        return self

    def __exit__(self, *_: object) -> None:
        if self._new:
            try:
                self._write()
            except (OSError, sqlite3.Error):
                return  # the next reading takes as long as this one did

    def get(self, key: str) -> dict[str, Any] | None:
        if self._known is None:
            self._known = self._read()
        try:
            found = json.loads(self._new.get(key) or self._known[key])
        except (KeyError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def put(self, key: str, values: dict[str, Any]) -> None:
        self._new[key] = json.dumps(values)

    def _read(self) -> dict[str, str]:
        if not self._file.is_file():
            return {}
        try:
            with closing(self._opened()) as database:
                return dict(database.execute("SELECT key, found FROM seen"))
        except (OSError, sqlite3.Error, UnicodeDecodeError):
            return {}

    def _write(self) -> None:
        """All of it anew once half of it is of no use any more."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        stale = len(self._known or {}) > 4 * len(self._new) + 10_000
        with closing(self._opened()) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, found TEXT)")
            if stale:
                database.execute("DELETE FROM seen")
            database.executemany("REPLACE INTO seen VALUES (?, ?)", self._new.items())

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_SECONDS)


def key(*parts: str | None) -> str:
    """Of what something was found in, as this version of the readers reads it."""
    return hashlib.sha256(repr((_version(), *parts)).encode()).hexdigest()


@cache
def _version() -> str:
    """Of the code that reads: other code may find other things in the same bytes."""
    folder = Path(__file__).parent
    files = [*(f"{name}.py" for name in _READERS), "token_rates.json"]
    texts = [(folder / file).read_bytes() for file in files]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()
