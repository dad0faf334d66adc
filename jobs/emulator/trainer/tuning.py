"""Tuning: low-rank adapters learnt on responses, which attend to prompts read beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from jobs.emulator.trainer import lora, model
from jobs.emulator.trainer.batch import BATCH, Batch
from jobs.emulator.trainer.entrance import Entrance
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.reading import Reader
from jobs.emulator.trainer.tokenizer import Target
from jobs.emulator.trainer.weights import Layer, Shape

LAYERS = 15  # the last ones, which learn; those below stay as they are
RATE = 2e-3  # at a multiplier of 1
_WARM_UP = 0.1  # of all steps
_LONGEST_GRADIENT = 1.0
_OPTIMISER = optax.chain(optax.clip_by_global_norm(_LONGEST_GRADIENT), optax.scale_by_adam())


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


class Tuning:
    """One adapter on its way; `step` improves it on some targets, `score` only looks."""

    def __init__(
        self,
        frozen: Frozen,
        reader: Reader,
        rank: int,
        rate: float,
        steps: int,
        seed: int,
        layers: int = LAYERS,
    ) -> None:
        self._frozen, self._reader = frozen, reader
        self.layout = lora.Layout(frozen.shape, rank)
        count = min(layers, frozen.shape.layers)
        self.rows = jnp.asarray(self.layout.initial(count, seed))
        self._entrance = Entrance(frozen, reader, frozen.shape.layers - count)
        self._above = slice(frozen.shape.layers - count, None)
        warm = max(1, round(steps * _WARM_UP))
        self._rate = optax.warmup_cosine_decay_schedule(
            rate * 0.1, rate, warm, max(steps, warm + 1), rate * 0.05
        )
        self._memory = _OPTIMISER.init(self.rows)
        self._done = 0

    def prepare(self, targets: Sequence[Target]) -> None:
        """Read what is not yet read; many together take less time than a few."""
        self._reader.read([target.prompt for target in targets])
        self._entrance.states(targets)

    def step(self, targets: Sequence[Target]) -> Metrics:
        metrics, gradient = self.gradient(targets)
        rate = self._rate(self._done)
        self.rows, self._memory = _learn(self.rows, gradient, self._memory, rate)
        self._done += 1
        return metrics

    def gradient(self, targets: Sequence[Target]) -> tuple[Metrics, Array]:
        """Of the mean loss, for every row."""
        batch = Batch(self._frozen, self._reader, targets, self._above)
        pulls: list[Any] = []
        x = self._forward(batch, targets, pulls)
        (metrics, back) = self._head(batch, x)
        gradients = []
        for pull in reversed(pulls):
            back, gradient = _backward(pull, back)
            gradients.append(gradient)
        return metrics, jnp.stack(gradients[::-1])

    def score(self, targets: Sequence[Target]) -> Metrics:
        self.prepare(targets)
        found = Metrics()
        for begin in range(0, len(targets), BATCH):
            some = targets[begin : begin + BATCH]
            batch = Batch(self._frozen, self._reader, some, self._above)
            metrics, _ = self._head(batch, self._forward(batch, some, []))
            found += metrics
        return found

    def _forward(self, batch: Batch, targets: Sequence[Target], pulls: list[Any]) -> Array:
        frozen = self._frozen
        states = np.zeros((len(batch.tokens), frozen.shape.width), np.float32)
        states[: sum(batch.lengths)] = np.concatenate(self._entrance.states(targets))
        x = jnp.asarray(states)
        for layer, row, past in zip(frozen.layers[self._above], self.rows, batch.past, strict=True):
            x, pull = _block(frozen.shape, self.layout, x, layer, row, batch.turn, batch.grid, past)
            pulls.append(pull)
        return x

    def _head(self, batch: Batch, x: Array) -> tuple[Metrics, Array]:
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


@jax.jit
def _learn(rows: Array, gradient: Array, memory: Any, rate: Array) -> tuple[Array, Any]:
    updates, memory = _OPTIMISER.update(gradient, memory)
    return rows - rate * updates, memory


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
