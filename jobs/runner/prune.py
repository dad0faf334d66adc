"""Prune: deletes what nobody needs any more, the only thing here that deletes remotely.

look     at each leftover as it is now; what has no label of this stack is not touched
claim    the tuning, then look whether it is served or tuned by now: whoever serves it writes that
         first and looks for such a claim after
delete   undeploy, the tuned model, its endpoints; then datasets; the ledger's entry last, so
         that what was cut off is found again
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from jobs.runner import leftovers, remote, storage
from jobs.runner.clock import steady
from jobs.runner.errors import VertuneError
from jobs.runner.identity import STACK
from jobs.runner.ledger import CONDEMNED, Entry, Ledger, Recorded
from jobs.runner.leftovers import Keep
from jobs.runner.plan import Desired
from jobs.runner.registry import Endpoint, Model, Registry

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_DATASETS = "datasets/"

T = TypeVar("T")


@dataclass(frozen=True)
class Leftover:
    """A tuning that goes, with what of it is deleted in the service."""

    entry: Entry
    generation: int
    why: str
    age: float  # seconds
    model: Model | None = None
    endpoints: tuple[Endpoint, ...] = ()
    stays: str | None = None  # why nothing of it in the service is deleted
    names: frozenset[str] = frozenset()  # under which it was recorded when it was looked for
    back: frozenset[str] = frozenset()  # under which a rollback had taken it back then

    @property
    def title(self) -> str:
        return f"{self.entry.name} {self.entry.fingerprint[:12]}"


@dataclass(frozen=True)
class Unused:
    """The objects of a dataset that goes."""

    digest: str
    blobs: tuple[Blob, ...]
    age: float  # seconds

    @property
    def title(self) -> str:
        return f"dataset {self.digest[:12]}"

    @property
    def size(self) -> int:
        return sum(blob.size or 0 for blob in self.blobs)


@dataclass(frozen=True)
class Prune:
    stack: str
    bucket: Bucket
    ledger: Ledger
    registry: Registry
    settled: float  # seconds; a younger dataset may belong to a submission that begins

    # Looking

    def look(
        self,
        name: str,
        fingerprint: str,
        why: str,
        shared: bool,
        names: frozenset[str],
        back: frozenset[str] = frozenset(),
    ) -> Leftover | None:
        """None if it is gone; `shared` is a tuned model that is needed under another name."""
        read = self.ledger.read(name, fingerprint)
        if read is None:
            return None
        entry, generation = read
        age = self.ledger.clock.age(entry.finished or entry.created)
        if shared:
            stays = "its tuned model is needed under another name"
            back &= {name}
            return Leftover(entry, generation, why, age, stays=stays, names=names, back=back)
        return Leftover(entry, generation, why, age, *self._remote(entry), names, back)

    def _remote(self, entry: Entry) -> tuple[Model | None, tuple[Endpoint, ...], str | None]:
        model = self.registry.model(entry.tuned_model) if entry.tuned_model else None
        if model is not None and not self._ours(model.labels):
            return None, (), f"{model.name} has no label of this stack"
        names = {str(point["endpoint"]) for point in entry.checkpoints if point.get("endpoint")}
        names |= {entry.endpoint} if entry.endpoint else set()
        names |= {*model.endpoints} if model else set()
        found = [one for name in sorted(names) if (one := self.registry.endpoint(name))]
        ours = tuple(one for one in found if self._ours(one.labels))
        if model and (foreign := {*model.endpoints} - {one.name for one in ours}):
            return (
                None,
                (),
                f"it is deployed to {', '.join(foreign)}, not an endpoint of this stack",
            )
        return model, ours, None

    def _ours(self, labels: Mapping[str, str]) -> bool:
        return labels.get(STACK) == self.stack

    def unused(self, needed: Collection[str]) -> list[Unused]:
        """The datasets in the bucket whose digest nobody needs."""
        found: dict[str, list[Blob]] = {}
        with storage.doing("listing the datasets", self.bucket):
            listed = self.bucket.list_blobs(
                prefix=_DATASETS, timeout=remote.timeout(), retry=storage.retry()
            )
            for blob in listed:
                digest, _, rest = blob.name.removeprefix(_DATASETS).partition("/")
                if rest and digest not in needed:
                    found.setdefault(digest, []).append(blob)
        ages = {digest: self._age(blobs) for digest, blobs in found.items()}
        return [
            Unused(digest, tuple(blobs), ages[digest])
            for digest, blobs in sorted(found.items())
            if ages[digest] >= self.settled
        ]

    def _age(self, blobs: Iterable[Blob]) -> float:
        return min(self.ledger.clock.age(blob.time_created.isoformat()) for blob in blobs)

    # Deleting

    def delete(self, one: Leftover) -> None:
        """What of it is in the service. Raises VertuneError if it is served meanwhile."""
        if one.stays:
            return self._hold(one)
        with self._condemned(one.entry.fingerprint) as since:
            self._hold(one)
            self._delete(one, since)

    @contextmanager
    def _condemned(self, fingerprint: str) -> Iterator[float]:
        """Claimed before it is looked whether it is served: who serves it looks at that after."""
        whose, generation = self.ledger.claimant(fingerprint)
        since = steady()
        generation = self.ledger.condemn(fingerprint, generation)
        try:
            yield since
        except VertuneError:
            with suppress(storage.Changed):
                if whose:
                    self.ledger.claim(fingerprint, whose, generation)
                else:
                    self.ledger.disclaim(fingerprint, generation)
            raise

    def _delete(self, one: Leftover, since: float) -> None:
        for endpoint in one.endpoints:
            for id, deployed in endpoint.deployed.items():
                if deployed == one.entry.tuned_model:
                    self.registry.undeploy(endpoint, id)
        if steady() - since > CONDEMNED / 2:
            raise VertuneError("it took too long to be sure that nobody serves it; run this again")
        if one.model is not None:
            self.registry.delete_model(one.model)
        for endpoint in one.endpoints:
            if {*endpoint.deployed.values()} <= {one.entry.tuned_model}:
                self.registry.delete_endpoint(endpoint)

    def _hold(self, one: Leftover) -> None:
        """All names are looked at: a spec may ask for it under a new one since."""
        fingerprint = one.entry.fingerprint
        for name, record in sorted(self.ledger.recorded().items()):
            entry = record.entries.get(fingerprint)
            taken_back = fingerprint == record.instead_of and name not in one.back
            pointed = fingerprint == record.active or taken_back
            if one.stays and name != one.entry.name:
                continue  # nothing of it is deleted but this name's entry
            if entry and (pointed or entry.in_flight or name not in one.names):
                raise VertuneError(
                    f"{name} is served by {fingerprint[:12]} now, or tunes it; it stays"
                )

    def needed(self, gone: Collection[tuple[str, str]]) -> set[str]:
        """The digests of the datasets that are recorded now, those of what is gone apart."""
        return leftovers.datasets(self.ledger.recorded(), (), gone)

    def delete_dataset(self, one: Unused) -> None:
        from google.api_core.exceptions import NotFound

        for blob in one.blobs:
            with storage.doing(f"deleting {blob.name}", self.bucket):
                try:
                    blob.delete(
                        if_generation_match=blob.generation,
                        timeout=remote.timeout(),
                        retry=storage.retry(),
                    )
                except NotFound:
                    continue  # a first try's answer was lost, or somebody else prunes

    def forget(self, one: Leftover) -> None:
        """What still names it; the entry, then the claim on it, unless that is another name's."""
        for name in sorted(one.back):
            self.ledger.let_go(name, one.entry.fingerprint)
        whose, generation = self.ledger.claimant(one.entry.fingerprint)
        self.ledger.remove(one.entry, one.generation)
        if whose in (None, one.entry.name):
            with suppress(storage.Changed):
                self.ledger.disclaim(one.entry.fingerprint, generation)


@dataclass(frozen=True)
class Found:
    """All that goes, and what each other tuning is kept by."""

    leftovers: tuple[Leftover, ...]
    unused: tuple[Unused, ...]
    kept: Mapping[tuple[str, str], str] = field(default_factory=dict, compare=False)


def find(
    prune: Prune, recorded: Mapping[str, Recorded], desired: Collection[Desired], keep: Keep
) -> Found:
    """What goes, each looked at in the service; nothing is touched."""
    gone = leftovers.leftovers(recorded, desired, keep, prune.ledger.clock.age)
    kept = {
        entry.tuned_model
        for name, record in recorded.items()
        for entry in record.entries.values()
        if (name, entry.fingerprint) not in gone
    }
    looked = [
        prune.look(
            name,
            key,
            why,
            shared=recorded[name].entries[key].tuned_model in kept - {None},
            names=frozenset(other for other, one in recorded.items() if key in one.entries),
            back=frozenset(other for other, one in recorded.items() if key == one.instead_of),
        )
        for (name, key), why in gone.items()
    ]
    unused = prune.unused(leftovers.datasets(recorded, desired, gone))
    held = leftovers.kept(recorded, desired, keep, prune.ledger.clock.age)
    return Found(tuple(one for one in looked if one), tuple(unused), held)


def carry_out(prune: Prune, found: Found) -> dict[str, str]:
    """Delete it; what is refused, with the reason, keeps nothing else from being deleted."""
    failed: dict[str, str] = {}

    def tried(name: str, act: Callable[[T], None], one: T) -> bool:
        try:
            act(one)
        except VertuneError as error:
            failed[name] = str(error)
        return name not in failed

    done = [one for one in found.leftovers if tried(one.title, prune.delete, one)]
    needed = prune.needed({(one.entry.name, one.entry.fingerprint) for one in done})
    for unused in found.unused:
        if unused.digest in needed:
            failed[unused.title] = "a tuning that is recorded needs it; it stays"
        else:
            tried(unused.title, prune.delete_dataset, unused)
    for one in done:
        tried(one.title, prune.forget, one)
    return failed
