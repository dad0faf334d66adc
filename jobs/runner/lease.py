"""Lease: who is submitting a tuning, and from when on somebody else may take that over."""

import os
import secrets
import socket
from dataclasses import dataclass

from jobs.runner import remote
from jobs.runner.clock import Clock
from jobs.runner.entry import Entry


@dataclass(frozen=True)
class Lease:
    """Seconds: to begin the create after the claim, for its answer, and for it to be listed.

    Once all three are over, a create of the holder's can neither be sent nor still turn up.
    """

    sending: float
    acting: float
    settling: float

    @property
    def seconds(self) -> float:
        return self.sending + self.acting + self.settling

    def left(self, entry: Entry, clock: Clock) -> float:
        """Seconds of an entry's lease, by the length that its holder keeps; below 0 it is over."""
        length = self.seconds if entry.lease is None else entry.lease
        return length - clock.age(entry.leased or entry.created)


_CLOUD = Lease(sending=15, acting=30, settling=60)
_EMULATOR = Lease(sending=5, acting=10, settling=15)


def lease(simulated: bool) -> Lease:
    given = _EMULATOR if simulated else _CLOUD
    return Lease(*map(remote.patient, (given.sending, given.acting, given.settling)))


def holder() -> str:
    """This process by host and number, and a part that no other process will ever have."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
