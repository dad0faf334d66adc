"""Clock: the service's time, so that two machines whose clocks differ agree on what is stale."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Response

_RESOLUTION = 1.0  # seconds
_SECOND = timedelta(seconds=1)
_RUNNING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady() -> float:
    """Seconds that only ever pass, also while the machine sleeps; for differences only."""
    return time.clock_gettime(_RUNNING)


class Clock:
    """What the last answer's Date said, carried on by this machine's steady clock.

    Until an answer was heard it is this machine's own time.
    """

    def __init__(self) -> None:
        self._heard = datetime.now(UTC), steady()

    def heard(self, response: Response, *_: Any, **__: Any) -> None:
        """A response hook of `requests`; a Date that is none is passed over."""
        try:
            told = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (LookupError, ValueError, TypeError):
            return
        # A Date is cut to whole seconds, and was said when the answer began: of two that agree, the
        # later one would set the clock back.
        took = min(response.elapsed, _SECOND)
        if not timedelta() <= self.now() - told < _SECOND + took:
            self._heard = told, steady()

    def now(self) -> datetime:
        told, at = self._heard
        return told + timedelta(seconds=steady() - at)

    def stamp(self) -> str:
        return self.now().isoformat(timespec="milliseconds")

    def age(self, stamp: str) -> float:
        """Seconds that have passed since a stamp for certain: a Date tells whole seconds only."""
        then = datetime.fromisoformat(stamp)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (self.now() - then).total_seconds() - _RESOLUTION)
