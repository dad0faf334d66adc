"""Low-rank adapters: a new one changes nothing yet, and every part of it can learn."""

import jax.numpy as jnp
import numpy as np
import pytest

from jobs.emulator.trainer import lora
from tests.emulator.trainer.tiny import LAYOUT, SHAPE, some_rows

NAMES = ("query", "key", "value", "output", "gate", "up", "down")


def test_a_row_holds_both_factors_of_every_matrix_and_nothing_else() -> None:
    deltas = LAYOUT.deltas(jnp.arange(LAYOUT.length))
    numbers = np.concatenate([np.ravel(factor) for name in NAMES for factor in deltas[name]])
    assert numbers.tolist() == list(range(LAYOUT.length))


@pytest.mark.parametrize("name", NAMES)
def test_factors_fit_their_matrix(name: str) -> None:
    a, b = LAYOUT.deltas(some_rows()[0])[name]
    assert (a @ b).shape == LAYOUT.sizes[name]
    assert a.shape[1] == b.shape[0] == LAYOUT.rank


def test_a_new_adapter_changes_nothing_yet_but_can_learn() -> None:
    for row in LAYOUT.initial(SHAPE.layers, seed=3):
        deltas = LAYOUT.deltas(jnp.asarray(row))
        assert all(np.any(a) and not np.any(b) for a, b in deltas.values())


def test_a_new_adapter_depends_on_the_seed_and_differs_from_layer_to_layer() -> None:
    rows = LAYOUT.initial(SHAPE.layers, seed=3)
    assert np.array_equal(rows, LAYOUT.initial(SHAPE.layers, seed=3))
    assert not np.array_equal(rows, LAYOUT.initial(SHAPE.layers, seed=4))
    assert not np.array_equal(rows[0], rows[1])


def test_matrices_side_by_side_change_as_each_would_alone() -> None:
    deltas = LAYOUT.deltas(some_rows()[0])
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, SHAPE.width)), jnp.float32)
    alone = [lora.SCALE * x @ deltas[name][0] @ deltas[name][1] for name in ("query", "key")]
    both = lora.change(x, deltas, "query", "key")
    np.testing.assert_allclose(both, np.concatenate(alone, axis=1), rtol=1e-4, atol=1e-5)


def test_without_an_adapter_nothing_is_added() -> None:
    assert lora.change(jnp.ones((2, SHAPE.width)), {}, "query") == 0.0
