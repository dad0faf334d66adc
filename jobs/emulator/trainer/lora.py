"""Low-rank adapters: what is learnt, as one row of numbers for each of the last layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array

from jobs.emulator.trainer.weights import Shape

Deltas = Mapping[str, tuple[Array, Array]]
SCALE = 2.0


@dataclass(frozen=True)
class Layout:
    """Where the two factors of each matrix stand in a layer's row."""

    shape: Shape
    rank: int

    @property
    def sizes(self) -> Mapping[str, tuple[int, int]]:
        s = self.shape
        return {
            "query": (s.width, s.width),
            "key": (s.width, s.kv_width),
            "value": (s.width, s.kv_width),
            "output": (s.width, s.width),
            "gate": (s.width, s.hidden),
            "up": (s.width, s.hidden),
            "down": (s.hidden, s.width),
        }

    @property
    def length(self) -> int:
        return sum((i + o) * self.rank for i, o in self.sizes.values())

    def deltas(self, row: Array) -> Deltas:
        found, start = {}, 0
        for name, (i, o) in self.sizes.items():
            a = row[start : start + i * self.rank].reshape(i, self.rank)
            start += i * self.rank
            b = row[start : start + o * self.rank].reshape(self.rank, o)
            start += o * self.rank
            found[name] = (a, b)
        return found

    def initial(self, layers: int, seed: int) -> np.ndarray:
        """The first factors are random, the second zero: training starts at the base model."""
        random = np.random.default_rng(seed)
        rows = np.zeros((layers, self.length), np.float32)
        for row in rows:
            start = 0
            for i, o in self.sizes.values():
                bound = i**-0.5
                row[start : start + i * self.rank] = random.uniform(-bound, bound, i * self.rank)
                start += (i + o) * self.rank
        return rows


def change(x: Array, deltas: Deltas, *names: str) -> Array | float:
    """What the adapter adds to the matrices of these names, which stand side by side."""
    if not deltas:
        return 0.0
    narrow = x @ jnp.concatenate([deltas[name][0] for name in names], axis=1)
    parts = jnp.split(narrow, len(names), axis=-1)
    wide = [part @ deltas[name][1] for part, name in zip(parts, names, strict=True)]
    return SCALE * jnp.concatenate(wide, axis=-1)
