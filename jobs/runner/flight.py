"""Flight: a recorded tuning that is not finished, in the generation its next write replaces."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.runner.clock import steady
from jobs.runner.desired import Resolved
from jobs.runner.errors import VertuneError
from jobs.runner.ledger import Entry, Ledger
from jobs.runner.plan import Change
from jobs.runner.storage import Changed

_TRIES = 5  # of one write, against others who write the same entry
_ORDER = ("submitting", "submitted", "cancelled", "failed", "succeeded")


class Gone(VertuneError):
    """An entry that was there is not: its submission was withdrawn, or it was pruned."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(f"the ledger's entry of {entry.name} is gone; plan again")


@dataclass
class Flight:
    """`resolved` is None where no spec asks for it any more."""

    entry: Entry
    generation: int
    resolved: Resolved | None
    claimed: float = 0.0  # steady seconds at the last write of ours
    instead_of: Entry | None = None  # what had failed before, and was written over
    told: str = ""  # what was said of its waiting, so that it is said once
    change: Change | None = None  # what it submits, where that is known

    def read(self, ledger: Ledger) -> None:
        """What stands in the ledger now. Raises Gone if nothing does."""
        found = ledger.read(self.entry.name, self.entry.fingerprint)
        if found is None:
            raise Gone(self.entry)
        self.entry, self.generation = found

    @property
    def put_back(self) -> bool:
        """Whether the failure that a retry was to go over stands there again, untouched."""
        source, entry = self.change and self.change.source, self.entry
        return source is not None and all(
            getattr(entry, key) == getattr(source, key)
            for key in ("state", "job", "created", "leased")
        )

    def claim(self, ledger: Ledger, **update: object) -> None:
        """Write what only one may write. Raises Changed if somebody else wrote first."""
        wanted, before = self.entry.model_copy(update=update), steady()
        self.generation = ledger.update(wanted, self.generation)
        self.entry, self.claimed = wanted, before

    def record(self, ledger: Ledger, **update: object) -> None:
        """Write what the service says; whoever writes it says the same.

        Of two who do, what is further on its way stays, and of two tries the later one: look at
        `entry` for what stands.
        """
        job = update.get("job", self.entry.job)
        for _ in range(_TRIES):
            try:
                return self.claim(ledger, **update)
            except Changed:
                self.read(ledger)
                if job in self.entry.previous or (job and self.entry.job not in (None, job)):
                    return
                if _how_far(self.entry) >= _how_far(self.entry.model_copy(update=update)):
                    return
        raise VertuneError(
            f"the ledger's entry of {self.entry.name} changes faster than it can be written;"
            " run apply again"
        )


def _how_far(entry: Entry) -> tuple[int, bool]:
    return _ORDER.index(entry.state), entry.score is not None
