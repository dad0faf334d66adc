"""Worker: questions that come close together are answered together."""

import io
import queue
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from jobs.emulator.trainer import worker
from jobs.emulator.trainer.base import Conversation
from jobs.emulator.trainer.messages import Generate
from jobs.emulator.trainer.nearest import Nearest
from jobs.emulator.trainer.worker import Worker
from tests.emulator.trainer.texts import prompt


class Counting(Nearest):
    """Remembers how many prompts it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[int] = []

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        self.runs.append(len(prompts))
        return [""] * len(prompts)


class Trickle:
    """Messages that come one by one, each only to somebody who waits for it."""

    def __init__(self, messages: Sequence[object]) -> None:
        self._messages = deque(messages)

    def get(self, timeout: float | None) -> object:
        if timeout == 0 or not self._messages:
            raise queue.Empty
        return self._messages.popleft()


class Gone(io.BytesIO):
    """Nobody listens any more, which ends a worker."""

    def write(self, _: object) -> int:
        raise BrokenPipeError


def question(number: int) -> Generate:
    return Generate(number, (prompt(f"q{number}"),), None, 8, 0.0, 0)


def runs(messages: Sequence[object]) -> list[int]:
    trainer = Counting()
    inbox = cast("queue.SimpleQueue[object]", Trickle(messages))
    with pytest.raises(BrokenPipeError):
        Worker(trainer, inbox, Gone()).run()
    return trainer.runs


def test_questions_that_come_one_right_after_the_other_are_answered_together() -> None:
    assert runs([question(number) for number in range(5)]) == [5]


def test_no_more_are_awaited_than_are_answered_at_once() -> None:
    assert runs([question(number) for number in range(worker.AT_ONCE + 3)]) == [worker.AT_ONCE]
