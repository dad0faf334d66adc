"""A trainer that goes only as far as a test lets it; no process, no model."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from jobs.emulator.trainer.base import Conversation, Settings, Step, TuningCancelled, WorkerDied
from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient

_PATIENCE = 20


@dataclass
class Call:
    """One tuning the trainer was asked for."""

    job: str
    examples: Sequence[Conversation]
    validation: Sequence[Conversation]
    settings: Settings
    folder: Path
    on_step: Callable[[Step], None]
    future: "Future[None]"

    def step(self, step: int, steps: int, epoch: int, checkpoint: str | None = None) -> None:
        self.on_step(Step(step, steps, epoch, {"train_total_loss": 1 / step}, checkpoint))

    def finish(self) -> None:
        self.step(1, 1, 1, "1")
        self.future.set_result(None)


class Held(TrainerClient):
    """Obeys a cancel at once, unless told to be `deaf`."""

    def __init__(self, cache: Path) -> None:
        super().__init__(NEAREST.name, cache)
        self.asked: queue.Queue[Call] = queue.Queue()
        self.deaf = False
        self._open: list[Call] = []
        self._closed = False
        self._settling = threading.Lock()

    def next_call(self) -> Call:
        return self.asked.get(timeout=_PATIENCE)

    def tune(
        self,
        job_id: str,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
        on_step: Callable[[Step], None],
    ) -> "Future[None]":
        call = Call(job_id, examples, validation, settings, folder, on_step, Future())
        with self._settling:
            if self._closed:
                raise WorkerDied("closed")
            self._open.append(call)
        self.asked.put(call)
        return call.future

    def cancel(self, job_id: str) -> None:
        if not self.deaf:
            with self._settling:
                self._end(TuningCancelled("cancelled"), job_id)

    def count_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        return [
            sum(len(turn.text.split()) for turn in conversation.turns)
            for conversation in conversations
        ]

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        return [str(adapter) for _ in prompts]

    def close(self) -> None:
        with self._settling:
            self._closed = True
            self._end(WorkerDied("closed"))

    def _end(self, error: Exception, job: str | None = None) -> None:
        for call in self._open:
            if job in (None, call.job) and not call.future.done():
                call.future.set_exception(error)
