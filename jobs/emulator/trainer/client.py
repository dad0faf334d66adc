"""The trainer as the server sees it: thread-safe calls into one worker process."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import cast

from jobs.emulator.trainer import catalog
from jobs.emulator.trainer.base import Conversation, Settings, Step, TrainerError, WorkerDied
from jobs.emulator.trainer.messages import Cancel, Count, Generate, Tune
from jobs.emulator.trainer.process import Process


class TrainerClient:
    """Starts the worker at the first call, and a new one at the first call after it died."""

    def __init__(self, trainer: str, cache: Path) -> None:
        entry = catalog.describe(trainer)
        self.name = entry.name
        self.description = entry.description
        self.context_tokens = entry.context_tokens
        self._cache = cache
        self._lock = threading.Lock()
        self._calls = itertools.count(1)
        self._process: Process | None = None
        self._closed = False

    @property
    def worker_pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.alive else None

    def tune(
        self,
        job_id: str,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
        on_step: Callable[[Step], None],
    ) -> Future[None]:
        """One tuning is active at a time; others wait their turn. Steps come on one thread."""
        call = next(self._calls)
        request = Tune(call, job_id, tuple(examples), tuple(validation), settings, folder)
        process = self._running()
        future = process.call(call, request, on_step)
        future.add_done_callback(lambda future: _stop_unheard(process, job_id, future))
        return cast(Future[None], future)

    def cancel(self, job_id: str) -> None:
        process = self._process
        if process and process.alive:
            process.send(Cancel(job_id))

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        if not prompts:
            return []
        call = next(self._calls)
        request = Generate(call, tuple(prompts), adapter, max_tokens, temperature, seed)
        return cast(list[str], self._running().call(call, request).result())

    def count_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        call = next(self._calls)
        request = Count(call, tuple(conversations))
        return cast(list[int], self._running().call(call, request).result())

    def close(self) -> None:
        """Ends the worker; calls in flight and later ones fail with WorkerDied."""
        with self._lock:
            self._closed = True
            if self._process:
                self._process.close()

    def _running(self) -> Process:
        with self._lock:
            if self._closed:
                raise WorkerDied("the trainer is closed")
            if self._process is None or not self._process.alive:
                self._process = Process(self.name, self._cache)
            return self._process


def _stop_unheard(process: Process, job_id: str, future: "Future[object]") -> None:
    """A tuning whose listener failed would train on for nobody."""
    error = future.exception()
    if error is not None and not isinstance(error, TrainerError):
        process.send(Cancel(job_id))
