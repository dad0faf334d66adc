"""Emulator: the services on one state folder behind one origin; a context manager with a URL."""

from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.wire import Route


class Emulator:
    """Serves inside `with`; one emulator a folder, which its caller sees to."""

    def __init__(self, folder: Path, port: int = 0, trainer: str = "smollm2") -> None:
        self.state = State(folder)
        self.server = Server(_routes(self.state), port)
        self.url = self.server.url

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.server.close()
        self.state.close()


def _routes(state: State) -> list[Route]:
    return []
