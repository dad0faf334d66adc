"""Sessions: the table of uploads that take several requests; it outlives a restart."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from jobs.emulator.errors import not_found
from jobs.emulator.state import State
from jobs.emulator.storage.conditions import Conditions
from jobs.emulator.storage.creation import Draft

_SCHEMA = """
CREATE TABLE IF NOT EXISTS storage_sessions (
    id TEXT PRIMARY KEY, blob TEXT NOT NULL, draft TEXT NOT NULL, received INTEGER NOT NULL,
    result TEXT, started REAL NOT NULL
) WITHOUT ROWID;
"""
_LIFETIME = 7 * 86400  # seconds, as in the cloud


@dataclass(frozen=True)
class Session:
    """`received` bytes of `blob` count; what a killed server wrote beyond them does not."""

    id: str
    blob: str
    draft: Draft
    received: int = 0
    result: Mapping[str, Any] | None = None  # the object, once it is made


class Sessions:
    def __init__(self, state: State) -> None:
        self._state = state
        state.define(_SCHEMA)

    def find(self, id: str) -> Session:
        with self._state.transaction() as database:
            row = database.execute(
                "SELECT id, blob, draft, received, result FROM storage_sessions WHERE id = ?", (id,)
            ).fetchone()
        if row is None:
            raise not_found(f"Upload session {id} does not exist.")
        return Session(row[0], row[1], _draft(row[2]), row[3], json.loads(row[4] or "null"))

    def start(self, session: Session) -> None:
        with self._state.transaction() as database:
            database.execute(
                "INSERT INTO storage_sessions VALUES (?, ?, ?, ?, NULL, ?)",
                (*_keys(session), json.dumps(asdict(session.draft)), 0, time.time()),
            )

    def advance(self, session: Session, received: int) -> Session:
        with self._state.transaction() as database:
            database.execute(
                "UPDATE storage_sessions SET received = ? WHERE id = ?", (received, session.id)
            )
        return replace(session, received=received)

    def finish(self, session: Session, result: Mapping[str, Any]) -> None:
        """Kept: a client that lost the answer asks again, and must not upload again."""
        with self._state.transaction() as database:
            database.execute(
                "UPDATE storage_sessions SET result = ? WHERE id = ?",
                (json.dumps(result), session.id),
            )

    def delete(self, session: Session) -> None:
        with self._state.transaction() as database:
            database.execute("DELETE FROM storage_sessions WHERE id = ?", (session.id,))

    def expire(self) -> None:
        with self._state.transaction() as database:
            database.execute(
                "DELETE FROM storage_sessions WHERE started < ?", (time.time() - _LIFETIME,)
            )

    def blobs(self) -> set[str]:
        """Those not yet an object's."""
        with self._state.transaction() as database:
            rows = database.execute("SELECT blob FROM storage_sessions WHERE result IS NULL")
            return {blob for (blob,) in rows}


def _keys(session: Session) -> tuple[str, str]:
    return session.id, session.blob


def _draft(text: str) -> Draft:
    draft = json.loads(text)
    return Draft(**{**draft, "conditions": Conditions(**draft["conditions"])})
