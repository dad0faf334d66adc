"""The product with frozen matrices in half precision: near the exact one, there and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jobs.emulator.trainer import model, processor


def arrays() -> tuple[jax.Array, jax.Array]:
    numbers = np.random.default_rng(0)
    x = jnp.asarray(numbers.normal(size=(5, 64)), jnp.float32)
    return x, jnp.asarray(numbers.normal(size=(48, 64)), jnp.float32)


def test_it_is_near_the_exact_product_and_of_full_precision() -> None:
    x, matrix = arrays()
    rough = model.linear(x, matrix.astype(jnp.bfloat16))
    assert rough.dtype == jnp.float32
    exact = x @ matrix.T
    assert float(jnp.abs(rough - exact).max()) < 0.02 * float(jnp.abs(exact).max())
    assert not bool((rough == exact).all())


def test_its_gradient_is_near_the_exact_one() -> None:
    x, matrix = arrays()

    def loss(x: jax.Array, matrix: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(model.linear(x, matrix)))

    exact = jax.grad(loss)(x, matrix)
    rough = jax.grad(loss)(x, matrix.astype(jnp.bfloat16))
    assert rough.dtype == jnp.float32
    error = float(jnp.linalg.norm(rough - exact) / jnp.linalg.norm(exact))
    assert 0 < error < 0.05


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512_bf16 avx2\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx2\n", False),
        ("Features\t: fp asimd\n", False),
        ("", False),
    ],
)
def test_what_the_processor_can_do_is_read_from_its_flags(text: str, can: bool) -> None:
    assert processor.can(text) is can
