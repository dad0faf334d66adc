"""A trainer that goes only as far as a test lets it; no process, no model."""

import queue
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
        self._open.append(call)
        self.asked.put(call)
        return call.future

    def cancel(self, job_id: str) -> None:
        for call in self._open:
            if call.job == job_id and not self.deaf and not call.future.done():
                call.future.set_exception(TuningCancelled("cancelled"))

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
        for call in self._open:
            if not call.future.done():
                call.future.set_exception(WorkerDied("closed"))
