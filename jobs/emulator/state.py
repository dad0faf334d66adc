"""State: the emulator's folder, a database beside blobs, durable over kill -9 and restart."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 0), microsecond INTEGER NOT NULL
);
INSERT OR IGNORE INTO clock VALUES (0, 0);
"""


class State:
    """One connection and one lock: what a transaction reads cannot change before it writes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.RLock()
        self._depth = 0
        self._database = sqlite3.connect(
            folder / "state.db", check_same_thread=False, isolation_level=None
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def define(self, schema: str) -> None:
        """Create a service's own tables; every statement must be repeatable."""
        with self._lock:
            self._database.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database, locked; all is written at the end of the outermost block, or nothing."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._database.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._database
            except BaseException:
                if outermost:
                    self._database.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._database.execute("COMMIT")
            finally:
                self._depth -= 1

    def microsecond(self) -> int:
        """Now, in microseconds; strictly increasing, even over restarts and a clock set back."""
        now = time.time_ns() // 1000
        with self.transaction() as database:
            (stamp,) = database.execute(
                "UPDATE clock SET microsecond = max(?, microsecond + 1) RETURNING microsecond",
                (now,),
            ).fetchone()
        return int(stamp)

    def documents(self, kind: str) -> "Documents":
        return Documents(self, kind)

    def close(self) -> None:
        with self._lock:
            self._database.close()


class Documents:
    """JSON documents of one kind, by name."""

    def __init__(self, state: State, kind: str) -> None:
        self._state, self._kind = state, kind

    def get(self, name: str) -> dict[str, Any] | None:
        with self._state.transaction() as database:
            row = database.execute(
                "SELECT body FROM documents WHERE kind = ? AND name = ?", (self._kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, name: str, body: dict[str, Any]) -> None:
        with self._state.transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)",
                (self._kind, name, json.dumps(body)),
            )

    def delete(self, name: str) -> bool:
        with self._state.transaction() as database:
            cursor = database.execute(
                "DELETE FROM documents WHERE kind = ? AND name = ?", (self._kind, name)
            )
        return cursor.rowcount > 0

    def list(self, prefix: str = "", after: str = "", limit: int = -1) -> list[dict[str, Any]]:
        """Bodies whose names start with `prefix`, in the order of names, those beyond `after`."""
        with self._state.transaction() as database:
            rows = database.execute(
                "SELECT body FROM documents WHERE kind = ? AND name > ?"
                " AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?",
                (self._kind, after, len(prefix), prefix, limit),
            ).fetchall()
        return [json.loads(body) for (body,) in rows]
