"""Ledger: what was tuned, as objects in the stack's bucket; every write is conditional.

ledger/<name>/<fingerprint>.json   one tuning; its summary is also in the object's metadata
ledger/<name>/active.json          the fingerprint of the tuning that is served
owner.json                         the stack and repository that the bucket belongs to
claims/<fingerprint>.json          the name under which a job for it may be created, or that what
                                   it came to is being deleted
outputs.json                       a digest of what the stack's outputs said last
approved.json                      the plan that was reviewed and begun last, for who goes on
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from jobs.runner import objects, remote, storage
from jobs.runner.claims import Claims
from jobs.runner.clock import Clock
from jobs.runner.entry import Entry, Recorded, Summary
from jobs.runner.errors import NotProvisioned, Unreadable, VertuneError
from jobs.runner.outputs import exported

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_OWNER = "owner.json"
_OUTPUTS = "outputs.json"
_APPROVED = "approved.json"


class Owner(BaseModel):
    """Whose bucket it is: a stack of a repository; two of them in one would undo each other."""

    model_config = ConfigDict(frozen=True)

    project: str  # Pulumi's name of the project
    stack: str
    repository: str | None = None  # where it is cloned from, if that is known

    def __str__(self) -> str:
        where = f" of {self.repository}" if self.repository else ""
        return f"stack {self.stack} of project {self.project}{where}"


class Pruned(VertuneError):
    """What was to be served is being deleted, or gone; what was served before still is."""

    def __init__(self, name: str, fingerprint: str, condemned: bool) -> None:
        what = "is being deleted by `vertune prune`" if condemned else "is gone from the registry"
        super().__init__(
            f"{fingerprint[:12]} of {name} {what} and not served; plan again to see what is left"
        )


class Ledger:
    """The ledger of one bucket; each method is one remote call unless it says otherwise."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.clock = Clock()
        self.claims = Claims(bucket, self.clock)
        bucket.client._http.hooks["response"].append(self.clock.heard)

    def recorded(self, only: str | None = None) -> dict[str, Recorded]:
        """Everything, or `only` one name, by name; one paged list whatever the number of entries.

        Raises NotProvisioned without a bucket, Unreadable for all objects that are no entries.
        """
        recorded, junk = self.survey(only)
        if junk:
            raise Unreadable("\n".join(junk))
        return recorded

    def survey(self, only: str | None = None) -> tuple[dict[str, Recorded], list[str]]:
        """What `recorded` gives, and what is wrong with each object that cannot be read."""
        entries: dict[str, dict[str, Summary]] = {}
        active: dict[str, objects.Pointer] = {}
        junk: list[str] = []
        for blob in self._list(f"{objects.PREFIX}{only}/" if only else objects.PREFIX):
            name, _, key = (
                blob.name.removeprefix(objects.PREFIX).removesuffix(".json").partition("/")
            )
            if blob.name.endswith("/"):
                continue  # a folder, as the console makes them
            try:
                if key == objects.ACTIVE:
                    active[name] = objects.pointer(blob)
                else:
                    entries.setdefault(name, {})[key] = objects.summary(blob)
            except Unreadable as error:
                junk.append(str(error))
        return {
            name: Recorded(entries.get(name, {}), *active.get(name, objects.NOTHING))
            for name in {*entries, *active}
        }, junk

    def _list(self, prefix: str) -> Iterator[Blob]:
        with storage.doing("reading the ledger", self._bucket):
            yield from self._bucket.list_blobs(
                prefix=prefix,
                fields="items(name,generation,metadata),nextPageToken",
                timeout=remote.timeout(),
                retry=storage.retry(),
            )

    def read(self, name: str, fingerprint: str) -> tuple[Entry, int] | None:
        """An entry and its generation, None if there is none."""
        blob = self._bucket.blob(objects.path(name, fingerprint))
        with storage.doing(f"reading the ledger's entry of {name}", self._bucket):
            text = objects.download(blob)
        if text is None:
            return None
        return objects.validated(Entry, text, blob), int(blob.generation or 0)

    def create(self, entry: Entry) -> int:
        """Write an entry that must not exist; its generation. Raises storage.Changed if it does."""
        return self._write(entry, 0)

    def update(self, entry: Entry, generation: int) -> int:
        """Write over the generation that was read. Raises storage.Changed if it moved on."""
        return self._write(entry, generation)

    def _write(self, entry: Entry, generation: int) -> int:
        blob = self._bucket.blob(objects.path(entry.name, entry.fingerprint))
        blob.metadata = {"summary": entry.summary()}
        doing = f"writing the ledger's entry of {entry.name}"
        return objects.upload(blob, entry.model_dump_json(indent=1), generation, doing)

    def remove(self, entry: Entry, generation: int) -> None:
        """Of an intent that led to nothing, or of what is pruned.

        Raises storage.Changed if it moved on.
        """
        blob = self._bucket.blob(objects.path(entry.name, entry.fingerprint))
        objects.delete(blob, f"removing the ledger's entry of {entry.name}", generation)

    def activate(
        self,
        name: str,
        fingerprint: str,
        instead_of: str | None = None,
        *,
        unless_taken_back: bool = False,
        there: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Serve this entry from now on; `instead_of` names one that a rollback takes back.

        With `unless_taken_back` not where a rollback took this very one back: whether it is served.
        The pointer is replaced in the generation it has, not whatever comes between. Raises Pruned
        once it is being deleted, or not `there` any more; then what was served before still is.
        """
        pointer = {"fingerprint": fingerprint} | ({"instead_of": instead_of} if instead_of else {})
        for last in (False, False, True):
            blob = self._bucket.blob(objects.path(name, objects.ACTIVE))
            with storage.doing(f"reading what is served as {name}", self._bucket):
                before = objects.download(blob)
            if unless_taken_back and objects.taken_back(before) == fingerprint:
                return False
            generation = int(blob.generation or 0) if before is not None else 0
            try:
                written = self._point(name, pointer, generation)
                break
            except storage.Changed:
                if last:
                    raise
        # Looked at after the pointer is written: a prune that begins now sees that it is served.
        if not (condemned := self.claims.condemned(fingerprint)) and there():
            return True
        with suppress(storage.Changed):  # served anew by somebody else
            if before is None:
                objects.delete(blob, f"serving nothing as {name}", written)
            else:
                self._point(name, json.loads(before), written)
        raise Pruned(name, fingerprint, condemned)

    def _point(self, name: str, pointer: Mapping[str, str], generation: int) -> int:
        fresh = self._bucket.blob(objects.path(name, objects.ACTIVE))
        fresh.metadata = dict(pointer)
        doing = f"writing what is served as {name}"
        return objects.upload(fresh, json.dumps(pointer), generation, doing)

    def let_go(self, name: str, fingerprint: str) -> None:
        """End a rollback from what is deleted; what is served stays. Two calls."""
        blob = self._bucket.blob(objects.path(name, objects.ACTIVE))
        with storage.doing(f"reading what is served as {name}", self._bucket):
            before = objects.download(blob)
        if objects.taken_back(before) == fingerprint:
            left = {"fingerprint": json.loads(before or "")["fingerprint"]}
            self._point(name, left, int(blob.generation or 0))

    def aliased(self, name: str, fingerprint: str) -> None:
        """Note that the alias has followed, unless something else is served by now. Two calls."""
        blob = self._bucket.blob(objects.path(name, objects.ACTIVE))
        with storage.doing(f"noting where the alias of {name} is", self._bucket):
            blob.reload(timeout=remote.timeout(), retry=storage.retry())
            if (blob.metadata or {}).get("fingerprint") != fingerprint:
                return
            blob.metadata = {**(blob.metadata or {}), "aliased": "true"}
            blob.patch(
                if_generation_match=blob.generation,
                timeout=remote.timeout(),
                retry=storage.retry(),
            )

    def owner(self) -> Owner | None:
        """Whom the bucket belongs to, None before the first apply."""
        return self._marked()[0]

    def _marked(self) -> tuple[Owner | None, int]:
        blob = self._bucket.blob(_OWNER)
        with storage.doing("reading whose bucket it is", self._bucket):
            text = objects.download(blob)
        if text is None:
            return None, 0
        try:
            return Owner.model_validate_json(text), int(blob.generation or 0)
        except ValueError:
            raise VertuneError(
                f"{objects.shown(blob)} does not say whose bucket it is; remove it, the next apply"
                " writes it anew"
            ) from None

    def mark(self, owner: Owner, instead_of: Owner | None = None) -> None:
        """The bucket belongs to this owner from now on. Raises storage.Changed if it is another's.

        Nobody's before, it takes one call.
        """
        before, generation = self._marked() if instead_of else (None, 0)
        generation = generation if before == instead_of else 0
        doing = "marking whose bucket it is"
        objects.upload(self._bucket.blob(_OWNER), owner.model_dump_json(), generation, doing)

    def noted(self) -> str | None:
        """The digest of the outputs that were recorded last, None if none were."""
        with storage.doing("reading which outputs were recorded", self._bucket):
            text = objects.download(self._bucket.blob(_OUTPUTS))
        return None if text is None else text.decode(errors="replace")

    def note(self, digest: str) -> None:
        """These outputs are recorded: an apply that dies before this records them again."""
        self._put(_OUTPUTS, digest, "noting which outputs were recorded")

    def approved(self) -> bytes | None:
        """The plan that was reviewed and begun last, None if none ever was."""
        with storage.doing("reading which plan was approved", self._bucket):
            return objects.download(self._bucket.blob(_APPROVED))

    def approve(self, plan: str) -> None:
        """This plan was reviewed and is begun: `apply --continue` may do the rest of it."""
        self._put(_APPROVED, plan, "noting which plan was approved")

    def _put(self, path: str, text: str, doing: str) -> None:
        with storage.doing(doing, self._bucket):
            self._bucket.blob(path).upload_from_string(
                text,
                content_type="application/json",
                timeout=remote.timeout(),
                retry=storage.retry(),
            )

    def deactivate(self, name: str) -> None:
        """Serve nothing under this name; its entries stay."""
        objects.delete(
            self._bucket.blob(objects.path(name, objects.ACTIVE)), f"forgetting {name}", None
        )


def tuned_models(bucket: str, project: str, endpoint: str | None) -> dict[str, dict[str, object]]:
    """What is served, by name, as the stack exports it; empty without a bucket or a ledger.

    Raises VertuneError when the ledger is there and cannot be read.
    """
    try:
        return exported(Ledger(storage.bucket(bucket, project, endpoint)).recorded())
    except NotProvisioned:
        return {}
