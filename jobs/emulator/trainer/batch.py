"""Batch: some answers as arrays, one after the other, and the prompts they attend to."""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from jobs.emulator.trainer import model
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.reading import Kept, Reader, grid, room
from jobs.emulator.trainer.tokenizer import Target

BATCH = 8  # answers a step learns from


class Batch:
    """An answer's text is its opening and all its tokens but the last, which is only predicted."""

    def __init__(
        self, frozen: Frozen, reader: Reader, targets: Sequence[Target], layers: slice
    ) -> None:
        """The prompts' keys and values are of these layers only."""
        texts = [frozen.opening + target.response[:-1] for target in targets]
        self.lengths = [len(text) for text in texts]
        row, places = room(sum(self.lengths), 64), room(max(self.lengths), 16)
        prompts = [len(target.prompt) for target in targets]
        self.tokens, positions = np.zeros(row, np.int32), np.zeros(row, np.int32)
        begin = 0
        asked: list[int] = []
        answers: list[int] = []
        for text, target, before in zip(texts, targets, prompts, strict=True):
            end = begin + len(text)
            self.tokens[begin:end] = text
            positions[begin:end] = before + np.arange(len(text))
            asked += range(begin + len(frozen.opening) - 1, end)
            answers += target.response
            begin = end
        free = room(len(asked), 32) - len(asked)
        self.count = len(asked)
        self.weights = jnp.asarray([1.0] * len(asked) + [0.0] * free)
        self.asked = jnp.asarray(asked + [0] * free)
        self.answers = jnp.asarray(answers + [0] * free)
        self.turn = model.rotation(frozen.shape, jnp.asarray(positions))
        most = room(len(texts), BATCH)
        self.grid = grid(self.lengths, row, most, places)
        self.past = _past(reader.read([target.prompt for target in targets]), most, layers)

    def texts(self, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What belongs to each text, of something that has a row for every token."""
        return np.split(rows, np.cumsum(self.lengths))[:-1]


def _past(prompts: Sequence[Kept], most: int, layers: slice) -> list[model.Past]:
    lengths = [kept.shape[1] for kept in prompts]
    kept = [kept[layers] for kept in prompts]
    kv = np.zeros((len(kept[0]), most, room(max(lengths), 128), kept[0].shape[2]), np.float16)
    for number, own in enumerate(kept):
        kv[:, number, : own.shape[1]] = own
    counted = jnp.asarray(lengths + [0] * (most - len(lengths)))
    return [model.Past(jnp.asarray(layer), counted) for layer in kv]


def batches(count: int, seed: int, epoch: int) -> Iterator[list[int]]:
    """The numbers of an epoch's targets in an order of its own, some at a time."""
    order = np.random.default_rng((seed, epoch)).permutation(count).tolist()
    for begin in range(0, count, BATCH):
        yield order[begin : begin + BATCH]
