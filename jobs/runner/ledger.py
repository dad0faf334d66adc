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

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from jobs.runner import remote, storage
from jobs.runner.clock import Clock
from jobs.runner.errors import NotProvisioned, Unreadable, VertuneError

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

FORMAT = 1
_PREFIX = "ledger/"
_ACTIVE = "active"
_OWNER = "owner.json"
_OUTPUTS = "outputs.json"
_APPROVED = "approved.json"
CONDEMNED = 600.0  # seconds for which a prune's claim stands
_LONGEST_ERROR = 500  # characters; metadata holds 8 KiB in all

EntryState = Literal["submitting", "submitted", "succeeded", "failed", "cancelled"]
IN_FLIGHT: tuple[EntryState, ...] = ("submitting", "submitted")


class Score(BaseModel):
    """One metric over the `n` test examples, of the tuned and of the base model; 0 to 1."""

    model_config = ConfigDict(frozen=True)

    metric: str
    n: int
    tuned: float
    base: float
    low: float  # 95 % interval of `tuned`
    high: float
    # Where it was measured, if not in the stack of its entry.
    stack: str | None = Field(default=None, exclude_if=lambda stack: stack is None)


class Copied(BaseModel):
    """What a tuned model is a copy of: a stack's, which goes on having it."""

    model_config = ConfigDict(frozen=True)

    stack: str
    tuned_model: str

    def __str__(self) -> str:
        return f"{self.tuned_model} of stack {self.stack}"


class Summary(BaseModel):
    """What a plan, a status and the outputs need of an entry; small enough for object metadata."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    name: str
    fingerprint: str
    stack: str
    state: EntryState
    inputs: dict[str, Any]
    created: str
    holder: str | None = None  # who submits: host, process and a random part
    leased: str | None = None  # when its holder claimed the submission, by the service's clock
    started: str | None = None
    finished: str | None = None
    epochs: int | None = None  # as ordered, or as the service chose them
    estimated_tokens: int | None = None  # of all epochs, by the text alone
    epoch_tokens: int | None = None  # the same of one epoch: how many there are may be seen later
    billed_tokens: int | None = None  # as the service's statistics say
    usd_per_million: float | None = None  # the price on the day it was submitted
    job: str | None = None
    previous: list[str] = []  # jobs of earlier, failed tries
    location: str | None = None
    tuned_model: str | None = None
    endpoint: str | None = None
    stand_in: str | None = None  # the local model that plays the base model, on the emulator only
    copied: Copied | None = None
    score: Score | None = None
    error: str | None = None

    @property
    def in_flight(self) -> bool:
        return self.state in IN_FLIGHT

    def passes(self, at_least: float | None) -> bool:
        return at_least is None or (self.score is not None and self.score.tuned >= at_least)


class Entry(Summary):
    """One recorded tuning, whole."""

    spec: str  # path of the spec it came from
    holder: str
    pre_tuned_model: str | None = None  # the tuned model that it goes on from
    lease: float | None = None  # seconds from `leased` on, as its holder keeps it
    imported: bool = False  # not submitted here: its inputs are what the service says, or a person
    dataset_uri: str
    splits: dict[str, int]  # examples by split
    tested: list[str] = []  # of the test split, which is never uploaded: see sketch
    labels: dict[str, str] = {}  # of the spec
    prompt: dict[str, str | None] = {}
    checkpoints: list[dict[str, Any]] = []
    statistics: dict[str, Any] = {}

    @property
    def validation_uri(self) -> str | None:
        """Beside the training examples, where they were uploaded from here."""
        if self.imported or "validation" not in self.splits:
            return None
        return f"{self.dataset_uri.rpartition('/')[0]}/validation.jsonl"

    def summary(self) -> str:
        """As JSON for the object's metadata, where a service's long complaint has no room."""
        short = self.model_copy(update={"error": self.error and self.error[:_LONGEST_ERROR]})
        return short.model_dump_json(include=set(Summary.model_fields), exclude_none=True)


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


@dataclass(frozen=True)
class Recorded:
    """All entries of one name, which of them is served, and which a rollback took back."""

    entries: Mapping[str, Summary] = field(default_factory=dict)
    active: str | None = None
    instead_of: str | None = None
    aliased: bool = False  # whether the registry's alias has followed

    @property
    def served(self) -> Summary | None:
        return self.entries.get(self.active) if self.active else None


_S = TypeVar("_S", bound=Summary)


class Ledger:
    """The ledger of one bucket; each method is one remote call unless it says otherwise."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.clock = Clock()
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
        active: dict[str, _Pointer] = {}
        junk: list[str] = []
        for blob in self._list(f"{_PREFIX}{only}/" if only else _PREFIX):
            name, _, key = blob.name.removeprefix(_PREFIX).removesuffix(".json").partition("/")
            if blob.name.endswith("/"):
                continue  # a folder, as the console makes them
            try:
                if key == _ACTIVE:
                    active[name] = _pointer(blob)
                else:
                    entries.setdefault(name, {})[key] = _summary(blob)
            except Unreadable as error:
                junk.append(str(error))
        return {
            name: Recorded(entries.get(name, {}), *active.get(name, _NOTHING))
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
        blob = self._bucket.blob(_path(name, fingerprint))
        with storage.doing(f"reading the ledger's entry of {name}", self._bucket):
            text = self._download(blob)
        if text is None:
            return None
        return _validated(Entry, text, blob), int(blob.generation or 0)

    def _download(self, blob: Blob) -> bytes | None:
        from google.api_core.exceptions import NotFound

        try:
            return bytes(blob.download_as_bytes(timeout=remote.timeout(), retry=storage.retry()))
        except NotFound as error:
            if storage.no_bucket(error):
                raise
            return None

    def create(self, entry: Entry) -> int:
        """Write an entry that must not exist; its generation. Raises storage.Changed if it does."""
        return self._write(entry, 0)

    def update(self, entry: Entry, generation: int) -> int:
        """Write over the generation that was read. Raises storage.Changed if it moved on."""
        return self._write(entry, generation)

    def _write(self, entry: Entry, generation: int) -> int:
        blob = self._bucket.blob(_path(entry.name, entry.fingerprint))
        blob.metadata = {"summary": entry.summary()}
        doing = f"writing the ledger's entry of {entry.name}"
        return self._upload(blob, entry.model_dump_json(indent=1), generation, doing)

    def _upload(self, blob: Blob, text: str, generation: int, doing: str) -> int:
        try:
            with storage.doing(doing, self._bucket):
                blob.upload_from_string(
                    text,
                    content_type="application/json",
                    if_generation_match=generation,
                    timeout=remote.timeout(),
                    retry=storage.retry(),
                )
        except storage.Changed:
            # A write whose answer was lost is sent again, and loses to itself.
            with storage.doing(doing, self._bucket):
                if self._download(blob) != text.encode():
                    raise
        return int(blob.generation or 0)

    def remove(self, entry: Entry, generation: int) -> None:
        """Of an intent that led to nothing, or of what is pruned.

        Raises storage.Changed if it moved on.
        """
        blob = self._bucket.blob(_path(entry.name, entry.fingerprint))
        self._delete(blob, f"removing the ledger's entry of {entry.name}", generation)

    def claim(self, fingerprint: str, name: str, generation: int) -> None:
        """Let `name` create the job, and no other one. Raises storage.Changed if it moved on.

        No two claims are alike: an older one of the same name must not pass for this one.
        """
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        claim = {"name": name, "nonce": secrets.token_hex(8)}
        self._upload(blob, json.dumps(claim), generation, f"claiming the tuning of {name}")

    def claimant(self, fingerprint: str) -> tuple[str | None, int]:
        """The name that may create the job, None if there is none, and the claim's generation."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        with storage.doing(f"reading who tunes {fingerprint[:12]}", self._bucket):
            text = self._download(blob)
        try:
            return str(json.loads(text or "")["name"]), int(blob.generation or 0)
        except (ValueError, LookupError, TypeError):  # whatever stands there claims nothing
            return None, int(blob.generation or 0)

    def condemn(self, fingerprint: str, generation: int, since: str | None = None) -> int:
        """Claim it to delete what it came to; the claim's generation. Raises storage.Changed."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        claim = {"pruned": since or self.clock.stamp(), "nonce": secrets.token_hex(8)}
        doing = f"claiming {fingerprint[:12]}, which is to be deleted"
        return self._upload(blob, json.dumps(claim), generation, doing)

    def condemned(self, fingerprint: str) -> bool:
        """Whether a prune that may still go on has claimed it."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        with storage.doing(f"reading whether {fingerprint[:12]} is deleted", self._bucket):
            text = self._download(blob)
        try:
            return self.clock.age(json.loads(text or "")["pruned"]) < CONDEMNED
        except (ValueError, LookupError, TypeError):
            return False

    def disclaim(self, fingerprint: str, generation: int) -> None:
        """Remove a claim. Raises storage.Changed if it moved on."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        self._delete(blob, f"removing the claim on {fingerprint[:12]}", generation)

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
            blob = self._bucket.blob(_path(name, _ACTIVE))
            with storage.doing(f"reading what is served as {name}", self._bucket):
                before = self._download(blob)
            if unless_taken_back and _taken_back(before) == fingerprint:
                return False
            generation = int(blob.generation or 0) if before is not None else 0
            try:
                written = self._point(name, pointer, generation)
                break
            except storage.Changed:
                if last:
                    raise
        # Looked at after the pointer is written: a prune that begins now sees that it is served.
        if not (condemned := self.condemned(fingerprint)) and there():
            return True
        with suppress(storage.Changed):  # served anew by somebody else
            if before is None:
                self._delete(blob, f"serving nothing as {name}", written)
            else:
                self._point(name, json.loads(before), written)
        raise Pruned(name, fingerprint, condemned)

    def _point(self, name: str, pointer: Mapping[str, str], generation: int) -> int:
        fresh = self._bucket.blob(_path(name, _ACTIVE))
        fresh.metadata = dict(pointer)
        doing = f"writing what is served as {name}"
        return self._upload(fresh, json.dumps(pointer), generation, doing)

    def let_go(self, name: str, fingerprint: str) -> None:
        """End a rollback from what is deleted; what is served stays. Two calls."""
        blob = self._bucket.blob(_path(name, _ACTIVE))
        with storage.doing(f"reading what is served as {name}", self._bucket):
            before = self._download(blob)
        if _taken_back(before) == fingerprint:
            left = {"fingerprint": json.loads(before or "")["fingerprint"]}
            self._point(name, left, int(blob.generation or 0))

    def aliased(self, name: str, fingerprint: str) -> None:
        """Note that the alias has followed, unless something else is served by now. Two calls."""
        blob = self._bucket.blob(_path(name, _ACTIVE))
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
            text = self._download(blob)
        if text is None:
            return None, 0
        try:
            return Owner.model_validate_json(text), int(blob.generation or 0)
        except ValueError:
            raise VertuneError(
                f"{_shown(blob)} does not say whose bucket it is; remove it, the next apply writes"
                " it anew"
            ) from None

    def mark(self, owner: Owner, instead_of: Owner | None = None) -> None:
        """The bucket belongs to this owner from now on. Raises storage.Changed if it is another's.

        Nobody's before, it takes one call.
        """
        before, generation = self._marked() if instead_of else (None, 0)
        generation = generation if before == instead_of else 0
        doing = "marking whose bucket it is"
        self._upload(self._bucket.blob(_OWNER), owner.model_dump_json(), generation, doing)

    def noted(self) -> str | None:
        """The digest of the outputs that were recorded last, None if none were."""
        with storage.doing("reading which outputs were recorded", self._bucket):
            text = self._download(self._bucket.blob(_OUTPUTS))
        return None if text is None else text.decode(errors="replace")

    def note(self, digest: str) -> None:
        """These outputs are recorded: an apply that dies before this records them again."""
        self._put(_OUTPUTS, digest, "noting which outputs were recorded")

    def approved(self) -> bytes | None:
        """The plan that was reviewed and begun last, None if none ever was."""
        with storage.doing("reading which plan was approved", self._bucket):
            return self._download(self._bucket.blob(_APPROVED))

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
        self._delete(self._bucket.blob(_path(name, _ACTIVE)), f"forgetting {name}", None)

    def _delete(self, blob: Blob, doing: str, generation: int | None) -> None:
        """What is gone already is as it should be: the answer to a first try may be lost."""
        from google.api_core.exceptions import NotFound

        with storage.doing(doing, self._bucket):
            try:
                blob.delete(
                    if_generation_match=generation, timeout=remote.timeout(), retry=storage.retry()
                )
            except NotFound as error:
                if storage.no_bucket(error):
                    raise


def tuned_models(bucket: str, project: str, endpoint: str | None) -> dict[str, dict[str, object]]:
    """What is served, by name, as the stack exports it; empty without a bucket or a ledger.

    Raises VertuneError when the ledger is there and cannot be read.
    """
    try:
        return exported(Ledger(storage.bucket(bucket, project, endpoint)).recorded())
    except NotProvisioned:
        return {}


def exported(recorded: Mapping[str, Recorded]) -> dict[str, dict[str, object]]:
    """What is served, by name, as the stack exports it."""
    served = {name: one.served for name, one in sorted(recorded.items())}
    return {name: _output(summary) for name, summary in served.items() if summary}


def digest_of(outputs: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def _output(summary: Summary) -> dict[str, object]:
    output: dict[str, object] = {
        "tuned_model": summary.tuned_model,
        "endpoint": summary.endpoint,
        "base_model": summary.inputs.get("base_model"),
        "fingerprint": summary.fingerprint,
        "dataset_digest": summary.inputs.get("dataset"),
        "job": summary.job,
        "finished": summary.finished,
    }
    if summary.score:
        output["score"] = summary.score.model_dump()
    if summary.copied:
        output["copied"] = summary.copied.model_dump()
    if summary.stand_in:
        output["simulated"] = f"local simulation: {summary.stand_in} stands in for the base model"
    return output


def _path(name: str, key: str) -> str:
    return f"{_PREFIX}{name}/{key}.json"


class _Pointer(NamedTuple):
    fingerprint: str | None
    instead_of: str | None
    aliased: bool


_NOTHING = _Pointer(None, None, False)


def _taken_back(pointer: bytes | None) -> str | None:
    """The fingerprint that a rollback took back, if the pointer tells of one."""
    try:
        return str(json.loads(pointer or "")["instead_of"])
    except (ValueError, LookupError, TypeError):
        return None


def _pointer(blob: Blob) -> _Pointer:
    metadata = blob.metadata or {}
    if not metadata.get("fingerprint"):
        raise _foreign(blob)
    return _Pointer(str(metadata["fingerprint"]), metadata.get("instead_of"), "aliased" in metadata)


def _summary(blob: Blob) -> Summary:
    return _validated(Summary, (blob.metadata or {}).get("summary") or "{}", blob)


def _validated(kind: type[_S], text: bytes | str, blob: Blob) -> _S:
    """What is in an entry or its metadata, whose format must be known here."""
    try:
        entry = kind.model_validate_json(text)
    except ValueError:
        raise _newer(text, blob) or _foreign(blob) from None
    if entry.format > FORMAT or "format" not in entry.model_fields_set:
        raise _newer(text, blob) or _foreign(blob)
    if blob.name != _path(entry.name, entry.fingerprint):
        raise _foreign(blob)
    return entry


def _newer(text: bytes | str, blob: Blob) -> Unreadable | None:
    """Of a newer format, whose other fields may be other ones too."""
    try:
        format = json.loads(text)["format"]
        if format <= FORMAT:
            return None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return Unreadable(
        f"{_shown(blob)} is of format {format}, newer than this vertune's {FORMAT}: update vertune"
    )


def _foreign(blob: Blob) -> Unreadable:
    return Unreadable(
        f"{_shown(blob)} is no entry of the ledger; restore an earlier version of the object"
        " (the bucket keeps them), or remove it if it is not vertune's"
    )


def _shown(blob: Blob) -> str:
    return f"gs://{blob.bucket.name}/{blob.name}"
