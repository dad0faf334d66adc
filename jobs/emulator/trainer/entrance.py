"""Entrance: answers as they enter the first layer that learns; nothing below it ever changes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.emulator.trainer import model
from jobs.emulator.trainer.batch import Batch
from jobs.emulator.trainer.memory import Memory
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.reading import Reader
from jobs.emulator.trainer.tokenizer import Target

States = NDArray[np.float32]  # (tokens, width)

TOGETHER = 32  # answers that go through the frozen layers at once
CAPACITY = 50_000  # tokens of answers that are remembered, of some 2 kB each


class Entrance:
    """Remembers the states of answers: they serve in every epoch."""

    def __init__(self, frozen: Frozen, reader: Reader, layers: int) -> None:
        self._frozen, self._reader, self._layers = frozen, reader, layers
        self._memory: Memory[Target, States] = Memory(CAPACITY, _length)

    def states(self, targets: Sequence[Target]) -> list[States]:
        """Of each target's opening and answer, in the order given."""
        return self._memory.recall(targets, self._anew)

    def _anew(self, targets: list[Target]) -> list[States]:
        groups = [targets[at : at + TOGETHER] for at in range(0, len(targets), TOGETHER)]
        return [states for group in groups for states in self._run(group)]

    def _run(self, targets: list[Target]) -> list[States]:
        frozen, below = self._frozen, slice(self._layers)
        batch = Batch(frozen, self._reader, targets, below)
        x = frozen.embedding[batch.tokens]
        for layer, past in zip(frozen.layers[below], batch.past, strict=True):
            x, _ = model.read_block(frozen.shape, x, layer, batch.turn, batch.grid, past)
        return [states.copy() for states in batch.texts(np.asarray(x))]


def _length(target: Target) -> int:
    return len(target.response) + 2
