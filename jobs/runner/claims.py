"""Claims: of each tuning, who alone may create its job, or delete what it came to."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from jobs.runner import objects, storage
from jobs.runner.clock import Clock

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

CONDEMNED = 600.0  # seconds for which a prune's claim stands


class Claims:
    """Those in one bucket; each method is one remote call, and every write is conditional."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket, self._clock = bucket, clock

    def claim(self, fingerprint: str, name: str, generation: int) -> None:
        """Let `name` create the job, and no other one. Raises storage.Changed if it moved on.

        No two claims are alike: an older one of the same name must not pass for this one.
        """
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        claim = {"name": name, "nonce": secrets.token_hex(8)}
        objects.upload(blob, json.dumps(claim), generation, f"claiming the tuning of {name}")

    def claimant(self, fingerprint: str) -> tuple[str | None, int]:
        """The name that may create the job, None if there is none, and the claim's generation."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        with storage.doing(f"reading who tunes {fingerprint[:12]}", self._bucket):
            text = objects.download(blob)
        try:
            return str(json.loads(text or "")["name"]), int(blob.generation or 0)
        except (ValueError, LookupError, TypeError):  # whatever stands there claims nothing
            return None, int(blob.generation or 0)

    def condemn(self, fingerprint: str, generation: int, since: str | None = None) -> int:
        """Claim it to delete what it came to; the claim's generation. Raises storage.Changed."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        claim = {"pruned": since or self._clock.stamp(), "nonce": secrets.token_hex(8)}
        doing = f"claiming {fingerprint[:12]}, which is to be deleted"
        return objects.upload(blob, json.dumps(claim), generation, doing)

    def condemned(self, fingerprint: str) -> bool:
        """Whether a prune that may still go on has claimed it."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        with storage.doing(f"reading whether {fingerprint[:12]} is deleted", self._bucket):
            text = objects.download(blob)
        try:
            return self._clock.age(json.loads(text or "")["pruned"]) < CONDEMNED
        except (ValueError, LookupError, TypeError):
            return False

    def disclaim(self, fingerprint: str, generation: int) -> None:
        """Remove a claim. Raises storage.Changed if it moved on."""
        blob = self._bucket.blob(f"claims/{fingerprint}.json")
        objects.delete(blob, f"removing the claim on {fingerprint[:12]}", generation)
