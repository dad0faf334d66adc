"""The lock of an emulator's folder: the system frees it with its holder, however that ends."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 0.02


class FolderLock:
    """Not inherited by programs its holder starts; a reused process id cannot fake it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")

    def __enter__(self) -> Self:
        """Wait until nobody else holds it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def take(self, patience: float = _PATIENCE_SECONDS) -> bool:
        """Whether it is ours now; patient enough for others who only look."""
        return self._within(patience, fcntl.LOCK_EX)

    def free(self, patience: float = 0.0) -> bool:
        """Whether nobody holds it; others who look at the same time do not count."""
        if not self._within(patience, fcntl.LOCK_SH):
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return True

    def sign(self) -> None:
        """Leave the holder's process id for those who find the lock held."""
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def holder(self) -> int | None:
        self._file.seek(0)
        text = self._file.read()
        return int(text) if text.isdigit() else None

    def close(self) -> None:
        self._file.close()

    def _within(self, patience: float, kind: int) -> bool:
        deadline = time.monotonic() + patience
        while not self._try(kind):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
