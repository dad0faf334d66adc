"""The values a trainer takes and gives, the errors it raises, and the trainer as a protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Turn:
    role: str  # "user" or "model"
    text: str


@dataclass(frozen=True)
class Conversation:
    """An example ends with a model turn; a prompt ends with a user turn."""

    system: str | None
    turns: tuple[Turn, ...]
    files: tuple[str, ...] = ()  # types of those that are named in it, which no trainer reads


@dataclass(frozen=True)
class Settings:
    epochs: int
    learning_rate_multiplier: float
    adapter_size: int
    seed: int = 0
    continue_from: Path | None = None  # a checkpoint of the same trainer and adapter size


@dataclass(frozen=True)
class Step:
    """One optimiser step: training metrics always, eval_* metrics at the end of an epoch."""

    step: int
    steps: int
    epoch: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint: str | None = None  # name of the folder written at this step


class Trainer(Protocol):
    name: str
    description: str
    context_tokens: int

    def count_tokens(self, conversations: Sequence[Conversation]) -> list[int]: ...

    def tune(
        self,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
    ) -> Iterator[Step]:
        """Yields after every optimiser step; checkpoints are the folders "1", "2", … inside."""
        ...

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        """The answer to a prompt depends on the seed and the prompt, not on its neighbours."""
        ...


class TrainerError(Exception):
    """The trainer could not do what it was asked; the message says why."""


class TuningCancelled(TrainerError):
    """Somebody asked to stop this tuning."""


class WorkerDied(TrainerError):
    """The worker process is gone; the next call starts a new one."""
