"""Generations: the table of stored objects, current, noncurrent and soft-deleted."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from jobs.emulator.errors import ApiError, not_found
from jobs.emulator.state import State
from jobs.emulator.storage.blobs import Blobs
from jobs.emulator.storage.bucket import Rules
from jobs.emulator.storage.checksums import Digest
from jobs.emulator.storage.resources import API, etag_of, timestamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS storage_objects (
    bucket TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
    metageneration INTEGER NOT NULL, state TEXT NOT NULL, blob TEXT NOT NULL,
    resource TEXT NOT NULL, PRIMARY KEY (bucket, name, generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS storage_live ON storage_objects (bucket, name)
    WHERE state = 'live';
CREATE INDEX IF NOT EXISTS storage_blob ON storage_objects (blob);
"""
_COLUMNS = "bucket, name, generation, metageneration, state, blob, resource"
_TIMES_OF_DELETION = {"timeDeleted", "softDeleteTime", "hardDeleteTime"}
LIVE, NONCURRENT, SOFT_DELETED = "live", "noncurrent", "soft-deleted"


@dataclass(frozen=True)
class Object:
    """One generation of an object; `resource` is its JSON but for the link to its body."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    state: str
    blob: str
    resource: Mapping[str, Any]

    @property
    def etag(self) -> str:
        return etag_of(self.generation, self.metageneration)

    @property
    def size(self) -> int:
        return int(self.resource["size"])

    @property
    def storage_class(self) -> str:
        return str(self.resource["storageClass"])

    @property
    def hashes(self) -> str:
        """The value of `x-goog-hash`."""
        return self.digest.header()

    @property
    def digest(self) -> Digest:
        return Digest(self.size, self.resource["crc32c"], self.resource.get("md5Hash"))

    def to_json(self, origin: str) -> dict[str, Any]:
        path = self.resource["selfLink"].removeprefix(API)
        query = f"generation={self.generation}&alt=media"
        return {**self.resource, "mediaLink": f"{origin}/download/storage/v1{path}?{query}"}

    def completed(self) -> "Object":
        """With the parts of the JSON that say which object, and which state of it, this is."""
        path = f"b/{self.bucket}/o/{quote(self.name, safe='')}"
        identity = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{API}/{path}",
            "bucket": self.bucket,
            "name": self.name,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "etag": self.etag,
        }
        return replace(self, resource={**self.resource, **identity})


class Store:
    """Opens the table for one transaction, and removes the blobs it left without an owner."""

    def __init__(self, state: State, blobs: Blobs) -> None:
        self._state, self._blobs = state, blobs
        state.define(_SCHEMA)

    @contextmanager
    def edit(self) -> Iterator["Generations"]:
        with self._state.transaction() as database:
            generations = Generations(self._state, database)
            yield generations
            files = self._blobs.drop(generations.ownerless())
        # After the commit: a file that is gone cannot be rolled back.
        self._blobs.unlink(files)

    def purge(self) -> None:
        """Soft-deleted generations whose time is over go for good."""
        with self.edit() as generations:
            generations.purge()

    def blobs(self) -> set[str]:
        with self._state.transaction() as database:
            return {blob for (blob,) in database.execute("SELECT blob FROM storage_objects")}


class Generations:
    """The table inside one transaction."""

    def __init__(self, state: State, database: sqlite3.Connection) -> None:
        self._state, self._database = state, database
        self._dropped: set[str] = set()

    def now(self) -> int:
        return self._state.microsecond()

    def live(self, bucket: str, name: str) -> Object | None:
        return self._one("bucket = ? AND name = ? AND state = 'live'", bucket, name)

    def find(self, bucket: str, name: str, generation: int | None = None) -> Object:
        """The live object, or the generation asked for, unless that is soft-deleted; or 404."""
        if generation is None:
            found = self.live(bucket, name)
        else:
            found = self._one(
                "bucket = ? AND name = ? AND generation = ? AND state != 'soft-deleted'",
                bucket,
                name,
                generation,
            )
        if found is None:
            raise no_such_object(bucket, name)
        return found

    def soft_deleted(self, bucket: str, name: str, generation: int) -> Object:
        found = self._one(
            "bucket = ? AND name = ? AND generation = ? AND state = 'soft-deleted'",
            bucket,
            name,
            generation,
        )
        if found is None:
            raise no_such_object(bucket, name)
        return found

    def insert(self, new: Object, rules: Rules) -> Object:
        """The new live object; the one before it is kept or goes, as the bucket's rules say."""
        if before := self.live(new.bucket, new.name):
            self.retire(before, rules)
        return self._write(new)

    def retire(self, found: Object, rules: Rules) -> None:
        """What overwriting and plain deletion do to the live object."""
        if not rules.versioning:
            return self.remove(found, rules)
        deleted = {**found.resource, "timeDeleted": timestamp(self.now())}
        self._write(replace(found, state=NONCURRENT, resource=deleted))

    def remove(self, found: Object, rules: Rules) -> None:
        """What deleting a generation by its number does."""
        _check_holds(found)
        if not rules.soft_delete_seconds:
            return self._drop(found)
        now = self.now()
        until = now + rules.soft_delete_seconds * 1_000_000
        times = {"softDeleteTime": timestamp(now), "hardDeleteTime": timestamp(until)}
        self._write(replace(found, state=SOFT_DELETED, resource={**found.resource, **times}))

    def restore(self, deleted: Object, rules: Rules) -> Object:
        """A soft-deleted generation comes back as a new live one."""
        generation = self.now()
        kept = {k: v for k, v in deleted.resource.items() if k not in _TIMES_OF_DELETION}
        self._drop(deleted)
        new = replace(deleted, generation=generation, metageneration=1, state=LIVE, resource=kept)
        return self.insert(new, rules)

    def update(self, found: Object, resource: Mapping[str, Any]) -> Object:
        """New metadata of the same generation."""
        stamped = {**resource, "updated": timestamp(self.now())}
        metageneration = found.metageneration + 1
        return self._write(replace(found, metageneration=metageneration, resource=stamped))

    def scan(
        self, bucket: str, states: tuple[str, ...], start: str, after: tuple[str, int], end: str
    ) -> Iterator[Object]:
        """In the order of names and generations: from `start`, beyond `after`, before `end`."""
        marks = ", ".join("?" * len(states))
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM storage_objects WHERE bucket = ? AND name >= ?"
            f" AND (name, generation) > (?, ?) AND (? = '' OR name < ?) AND state IN ({marks})"
            " ORDER BY name, generation",
            (bucket, start, *after, end, end, *states),
        )
        return (_object(row) for row in rows)

    def is_empty(self, bucket: str) -> bool:
        return self._one("bucket = ? AND state != 'soft-deleted' LIMIT 1", bucket) is None

    def drop_bucket(self, bucket: str) -> None:
        """The soft-deleted rest of a deleted bucket."""
        for found in list(self.scan(bucket, (SOFT_DELETED,), "", ("", 0), "")):
            self._drop(found)

    def purge(self) -> None:
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM storage_objects WHERE state = 'soft-deleted'"
            " AND json_extract(resource, '$.hardDeleteTime') < ?",
            (timestamp(self.now()),),
        ).fetchall()
        for row in rows:
            self._drop(_object(row))

    def ownerless(self) -> set[str]:
        query = "SELECT 1 FROM storage_objects WHERE blob = ? LIMIT 1"
        return {b for b in self._dropped if not self._database.execute(query, (b,)).fetchone()}

    def _drop(self, found: Object) -> None:
        self._database.execute(
            "DELETE FROM storage_objects WHERE bucket = ? AND name = ? AND generation = ?",
            (found.bucket, found.name, found.generation),
        )
        self._dropped.add(found.blob)

    def _write(self, changed: Object) -> Object:
        found = changed.completed()
        self._database.execute(
            f"INSERT INTO storage_objects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (bucket, name, generation) DO UPDATE SET resource = excluded.resource,"
            " metageneration = excluded.metageneration, state = excluded.state",
            (
                found.bucket,
                found.name,
                found.generation,
                found.metageneration,
                found.state,
                found.blob,
                json.dumps(found.resource),
            ),
        )
        return found

    def _one(self, where: str, *values: str | int) -> Object | None:
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM storage_objects WHERE {where}", values
        ).fetchone()
        return _object(row) if row else None


def _check_holds(found: Object) -> None:
    if found.resource.get("eventBasedHold") or found.resource.get("temporaryHold"):
        message = f"Object '{found.bucket}/{found.name}' is under active hold"
        raise ApiError(403, f"{message} and cannot be deleted or overwritten.", "forbidden")


def no_such_object(bucket: str, name: str) -> Exception:
    return not_found(f"No such object: {bucket}/{name}")


def _object(row: tuple[str, str, int, int, str, str, str]) -> Object:
    return Object(*row[:6], json.loads(row[6]))
