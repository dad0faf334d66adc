"""Copying: a tuned model of the stack before, copied in the registry instead of tuned once more.

copy      by an id that follows from its source and this stack: there is never a second copy
label     by this stack's labels instead of the other's
deploy    to an endpoint of the same id
record    an entry that has succeeded, with the score it had there

Until it is recorded the ledger knows nothing of it: what was cut off is begun anew, and finds each
step that was done already.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from jobs.runner.desired import Resolved
from jobs.runner.entry import Copied, Entry
from jobs.runner.errors import VertuneError
from jobs.runner.flight import Flight
from jobs.runner.lease import holder
from jobs.runner.ledger import Ledger
from jobs.runner.plan import Change
from jobs.runner.registry import Registry
from jobs.runner.storage import Changed
from jobs.runner.submission import labels, of_spec


@dataclass(frozen=True)
class Copying:
    """To `stack` from the ledger `before`, whose stack is of the same project."""

    stack: str
    project: str
    bucket: str  # no two stacks have one, whatever their names
    ledger: Ledger
    before: Ledger
    registry: Registry

    def copy(self, change: Change, resolved: Resolved) -> Flight:
        """All of it, or what is left of it. Raises VertuneError if the source is gone."""
        source, entry = self._source(change), self._entry(change, resolved)
        assert change.desired is not None
        parent = f"projects/{self.project}/locations/{change.desired.serving_location}"
        id, ours = self._id(change.name, source), {**entry.labels, **labels(entry)}
        model = self.registry.copy(source.tuned_model, parent, id, change.desired.kms_key)
        self.registry.label(model, ours)
        endpoint = self.registry.serve(model, parent, id, ours)
        made = {"copied": source, "tuned_model": model.name, "endpoint": endpoint.name}
        return self._recorded(entry.model_copy(update=made), resolved)

    def _source(self, change: Change) -> Copied:
        before = change.source
        if before is None or not before.tuned_model or not self.registry.model(before.tuned_model):
            what = before.tuned_model if before else "its tuned model"
            raise VertuneError(f"{what} is gone from the registry: there is nothing to copy")
        return Copied(stack=before.stack, tuned_model=before.tuned_model)

    def _id(self, name: str, source: Copied) -> str:
        text = "\n".join((self.bucket, name, source.tuned_model))
        return f"vertune-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def _entry(self, change: Change, resolved: Resolved) -> Entry:
        """What the tuning was there, but for what it cost: that is paid, and not by this stack."""
        found = self.before.read(change.name, change.fingerprint)
        if found is None:
            raise VertuneError("the other stack's entry is gone; plan again")
        there, now = found[0], self.ledger.clock.stamp()
        score = there.score and there.score.model_copy(
            update={"stack": there.score.stack or there.stack}
        )
        return Entry(
            name=change.name,
            fingerprint=change.fingerprint,
            stack=self.stack,
            state="succeeded",
            inputs=there.inputs,
            created=now,
            finished=now,
            holder=holder(),
            location=there.location,
            dataset_uri=there.dataset_uri,
            epochs=there.epochs,
            stand_in=there.stand_in,
            score=score,
            **of_spec(resolved),
        )

    def _recorded(self, entry: Entry, resolved: Resolved) -> Flight:
        """Over what failed or is gone, never over what somebody has begun since."""
        found = self.ledger.read(entry.name, entry.fingerprint)
        there, generation = found or (None, 0)
        if there and there.tuned_model == entry.tuned_model:
            return Flight(there, generation, resolved)
        if there and there.in_flight:
            raise VertuneError("the same tuning was begun meanwhile; plan again")
        try:
            return Flight(entry, self.ledger.update(entry, generation), resolved)
        except Changed:
            raise VertuneError("the same was recorded meanwhile; run this again") from None
