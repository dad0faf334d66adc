"""VertuneError: the one base of every error a user can act on; anything else is our bug.

VertuneError
├── Problems          the user's files: every fault at once; never tried again
├── Unreadable        an object of the ledger that is not as vertune writes them
├── NotProvisioned    the stack's bucket is not there
├── Unreachable       no answer: whether the service acted is not known
├── RemoteError       a refusal: nothing was done, and the same call is refused again
│   ├── Quota         a refusal for now: it stays queued
│   └── Passing       a failure of the service: whether it acted is not known
└── JobMissing        a recorded job that is gone
"""

from collections.abc import Iterable
from dataclasses import dataclass


class VertuneError(Exception):
    """What is wrong and what to do next, in words; printed without a traceback, exit code 1."""

    exit_code = 1


def plain(text: str) -> str:
    """`text` on one line; what would move a cursor or turn a line around is made visible."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in a file a user wrote; `line` counts from 1, 0 means the whole file."""

    path: str
    line: int
    field: str
    what: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return plain(": ".join(part for part in (place, self.field, self.what) if part))


class Problems(VertuneError):
    """Every fault that was found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Unreadable(VertuneError):
    """An object of the ledger that is no entry, or one of a newer vertune."""


class NotProvisioned(VertuneError):
    """The stack's bucket is not there yet."""


class Unreachable(VertuneError):
    """Nothing answers where a service should be: no network, or no emulator."""


class RemoteError(VertuneError):
    """A refusal: HTTP `status`, the service's `reason` and message, and the fields at fault."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        doing: str,
        violations: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.status, self.reason, self.message, self.doing = status, reason, message, doing
        self.violations = violations  # (the service's field, what is wrong)
        super().__init__(f"{doing}: {status} {reason}: {message}")


class Quota(RemoteError):
    """The service takes no more for now (429): nothing was done, it will do later."""


class Passing(RemoteError):
    """The service failed (5xx, 408, 499): it may have acted, and the next call may pass."""


class JobMissing(VertuneError):
    """A recorded tuning job that the service no longer has."""
