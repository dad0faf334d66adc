"""Tuning: low-rank adapters learnt on responses, which attend to prompts read beforehand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jobs.emulator.trainer import lora, model
from jobs.emulator.trainer.reading import Reader, grid, room
from jobs.emulator.trainer.tokenizer import Target
from jobs.emulator.trainer.weights import Layer, Shape

BATCH = 8
RATE = 2e-3  # at a multiplier of 1
_WARM_UP = 0.1  # of all steps
_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Frozen:
    """The model that is not changed."""

    shape: Shape
    layers: Sequence[Layer]
    embedding: Array
    norm: Array
    opening: tuple[int, ...]  # the tokens that open an answer


@dataclass(frozen=True)
class Metrics:
    """Sums over predictions: their loss, how many were right, how many there were."""

    loss: float = 0.0
    right: float = 0.0
    count: float = 0.0

    def __add__(self, other: "Metrics") -> "Metrics":
        return Metrics(self.loss + other.loss, self.right + other.right, self.count + other.count)

    def named(self, prefix: str) -> dict[str, float]:
        count = max(self.count, 1.0)
        return {
            f"{prefix}_total_loss": self.loss / count,
            f"{prefix}_fraction_of_correct_next_step_preds": self.right / count,
            f"{prefix}_num_predictions": self.count,
        }


class _Batch:
    """Some targets as arrays: answers one after the other, and the prompts they attend to."""

    def __init__(self, frozen: Frozen, reader: Reader, targets: Sequence[Target]) -> None:
        shape, opening = frozen.shape, frozen.opening
        texts = [opening + target.response[:-1] for target in targets]
        lengths = [len(text) for text in texts]
        row, places = room(sum(lengths), 64), room(max(lengths), 16)
        prompts = [len(target.prompt) for target in targets]
        tokens, positions = np.zeros(row, np.int32), np.zeros(row, np.int32)
        begin = 0
        asked: list[int] = []
        answers: list[int] = []
        for text, target, before in zip(texts, targets, prompts, strict=True):
            end = begin + len(text)
            tokens[begin:end] = text
            positions[begin:end] = before + np.arange(len(text))
            asked += range(begin + len(opening) - 1, end)
            answers += target.response
            begin = end
        free = room(len(asked), 32) - len(asked)
        self.count = len(asked)
        self.weights = jnp.asarray([1.0] * len(asked) + [0.0] * free)
        self.asked = jnp.asarray(asked + [0] * free)
        self.answers = jnp.asarray(answers + [0] * free)
        self.tokens = tokens
        self.turn = model.rotation(shape, jnp.asarray(positions))
        self.grid = grid(lengths, row, BATCH, places)
        self.past = self._past(shape, reader, targets)

    def _past(self, shape: Shape, reader: Reader, targets: Sequence[Target]) -> list[model.Past]:
        longest = room(max(len(target.prompt) for target in targets), 128)
        kv = np.zeros((shape.layers, BATCH, longest, 2 * shape.kv_width), np.float16)
        for number, kept in enumerate(reader.read([target.prompt for target in targets])):
            kv[:, number, : kept.shape[1]] = kept
        lengths = [len(target.prompt) for target in targets]
        counted = jnp.asarray(lengths + [0] * (BATCH - len(lengths)))
        return [model.Past(jnp.asarray(layer), counted) for layer in kv]


class Tuning:
    """One adapter on its way; `step` improves it on some targets, `score` only looks."""

    def __init__(
        self, frozen: Frozen, reader: Reader, rank: int, rate: float, steps: int, seed: int
    ) -> None:
        self._frozen, self._reader = frozen, reader
        self.layout = lora.Layout(frozen.shape, rank)
        self.rows = jnp.asarray(self.layout.initial(frozen.shape.layers, seed))
        warm = max(1, round(steps * _WARM_UP))
        schedule = optax.warmup_cosine_decay_schedule(
            rate * 0.1, rate, warm, max(steps, warm + 1), rate * 0.05
        )
        self._optimiser = optax.chain(
            optax.clip_by_global_norm(_LONGEST_GRADIENT), optax.adamw(schedule, weight_decay=0.0)
        )
        self._memory = self._optimiser.init(self.rows)

    def step(self, targets: Sequence[Target]) -> Metrics:
        metrics, gradient = self.gradient(targets)
        updates, self._memory = self._optimiser.update(gradient, self._memory, self.rows)
        self.rows = jnp.asarray(optax.apply_updates(self.rows, updates))
        return metrics

    def gradient(self, targets: Sequence[Target]) -> tuple[Metrics, Array]:
        """Of the mean loss, for every row."""
        batch = _Batch(self._frozen, self._reader, targets)
        pulls: list[Any] = []
        x = self._forward(batch, pulls)
        (metrics, back) = self._head(batch, x)
        gradients = []
        for pull in reversed(pulls):
            back, gradient = _backward(pull, back)
            gradients.append(gradient)
        return metrics, jnp.stack(gradients[::-1])

    def score(self, targets: Sequence[Target]) -> Metrics:
        found = Metrics()
        for begin in range(0, len(targets), BATCH):
            batch = _Batch(self._frozen, self._reader, targets[begin : begin + BATCH])
            metrics, _ = self._head(batch, self._forward(batch, []))
            found += metrics
        return found

    def _forward(self, batch: _Batch, pulls: list[Any]) -> Array:
        frozen = self._frozen
        x = frozen.embedding[batch.tokens]
        for layer, row, past in zip(frozen.layers, self.rows, batch.past, strict=True):
            x, pull = _block(frozen.shape, self.layout, x, layer, row, batch.turn, batch.grid, past)
            pulls.append(pull)
        return x

    def _head(self, batch: _Batch, x: Array) -> tuple[Metrics, Array]:
        frozen = self._frozen
        loss, right, back = _head(
            frozen.shape,
            x,
            frozen.embedding,
            frozen.norm,
            batch.asked,
            batch.answers,
            batch.weights,
        )
        return Metrics(float(loss) * batch.count, float(right), float(batch.count)), back


@partial(jax.jit, static_argnums=(0, 1))
def _block(
    shape: Shape,
    layout: lora.Layout,
    x: Array,
    layer: Layer,
    row: Array,
    turn: model.Rotation,
    where: model.Grid,
    past: model.Past,
) -> Any:
    def run(x: Array, row: Array) -> Array:
        # What attention sees is computed anew on the way back: it would fill the memory.
        attend = jax.checkpoint(model.after(shape, where, past))
        return model.block(shape, x, layer, layout.deltas(row), turn, attend)

    return jax.vjp(run, x, row)


@jax.jit
def _backward(pull: Any, back: Array) -> Any:
    return pull(back)


@partial(jax.jit, static_argnums=0)
def _head(
    shape: Shape,
    x: Array,
    embedding: Array,
    gain: Array,
    asked: Array,
    answers: Array,
    weights: Array,
) -> tuple[Array, Array, Array]:
    """The mean loss, how many are right, and the gradient; words are weighed only where asked."""

    def loss(x: Array) -> tuple[Array, Array]:
        logits = model.linear(model.norm(shape, x[asked], gain), embedding)
        of_answer = jnp.take_along_axis(logits, answers[:, None], 1)[:, 0]
        wrong = (jax.nn.logsumexp(logits, -1) - of_answer) * weights
        right = (jnp.argmax(logits, -1) == answers) * weights
        return wrong.sum() / weights.sum(), right.sum()

    (value, right), back = jax.value_and_grad(loss, has_aux=True)(x)
    return value, right, back


def batches(count: int, seed: int, epoch: int) -> Iterator[list[int]]:
    """The numbers of an epoch's targets in an order of its own, some at a time."""
    order = np.random.default_rng((seed, epoch)).permutation(count).tolist()
    for begin in range(0, count, BATCH):
        yield order[begin : begin + BATCH]
