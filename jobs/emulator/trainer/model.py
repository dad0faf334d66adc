"""The transformer, one block at a time, so that the programs to compile are few and small."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from jobs.emulator.trainer import lora
from jobs.emulator.trainer.weights import Layer, Matrix, Shape

BLOCKED = -1e9


@dataclass(frozen=True)
class Frozen:
    """The model that is not changed."""

    shape: Shape
    layers: Sequence[Layer]
    embedding: Array
    norm: Array
    opening: tuple[int, ...]  # the tokens that open an answer


class Rotation(NamedTuple):
    cos: Array
    sin: Array


class Grid(NamedTuple):
    """Where the tokens of several texts, one after the other, stand as (text, place)."""

    tokens: Array  # (texts, places): the token that stands there; unused places hold any
    slots: Array  # (tokens,): where a token stands, counted row by row


class Past(NamedTuple):
    """What stands before the texts: keys beside values, and how many of them count."""

    kv: Array  # (texts or 1, places, 2 * kv_width), half precision
    lengths: Array  # (texts,)


Attend = Callable[[Array, Array, Array], Array]


@partial(jax.jit, static_argnums=0)
def rotation(shape: Shape, positions: Array) -> Rotation:
    half = shape.head_width // 2
    angles = positions[..., None] * shape.rope_base ** (-jnp.arange(half) / half)
    return Rotation(jnp.cos(angles), jnp.sin(angles))


def block(
    shape: Shape, x: Array, layer: Layer, deltas: lora.Deltas, turn: Rotation, attend: Attend
) -> Array:
    """x is (tokens, width), with no padding between texts; only `attend` knows the texts."""
    h = norm(shape, x, layer.attention_norm)
    mixed = linear(h, layer.query_key_value) + lora.change(h, deltas, "query", "key", "value")
    query, key, value = jnp.split(mixed, (shape.width, shape.width + shape.kv_width), axis=-1)
    h = attend(_rotate(query, turn), _rotate(key, turn), value)
    x = x + linear(h, layer.output) + lora.change(h, deltas, "output")
    h = norm(shape, x, layer.mlp_norm)
    mixed = linear(h, layer.gate_up) + lora.change(h, deltas, "gate", "up")
    gate, up = jnp.split(mixed, 2, axis=-1)
    h = jax.nn.silu(gate) * up
    return x + linear(h, layer.down) + lora.change(h, deltas, "down")


def attention(shape: Shape, query: Array, kv: Array, bias: Array) -> Array:
    """Each text attends within itself; bias is (texts, tokens, places)."""
    texts, tokens, _ = query.shape
    group, width = shape.heads // shape.kv_heads, shape.head_width
    key, value = jnp.split(kv.reshape(texts, -1, 2 * shape.kv_heads, width), 2, axis=2)
    # Heads that share a key become more rows of one matrix product.
    query = query.reshape(texts, tokens, shape.kv_heads, group, width).transpose(0, 2, 3, 1, 4)
    query = query.reshape(texts, shape.kv_heads, group * tokens, width)
    scores = jnp.einsum("bhqd,bkhd->bhqk", query, key) * width**-0.5
    scores = scores + jnp.tile(bias, (1, group, 1))[:, None]
    mixed = jnp.einsum("bhqk,bkhd->bhqd", jax.nn.softmax(scores), value)
    mixed = mixed.reshape(texts, shape.kv_heads, group, tokens, width).transpose(0, 3, 1, 2, 4)
    return mixed.reshape(texts, tokens, shape.width)


def after(shape: Shape, grid: Grid, past: Past, kept: list[Array] | None = None) -> Attend:
    """Attention to the past and, causally, to the texts themselves; `kept` gets their own part."""

    def attend(query: Array, key: Array, value: Array) -> Array:
        own = jnp.concatenate([key, value], axis=-1)
        if kept is not None:
            kept.append(own.astype(jnp.float16))
        texts, tokens = grid.tokens.shape
        before = jnp.broadcast_to(past.kv, (texts, *past.kv.shape[1:])).astype(own.dtype)
        seen = jnp.arange(before.shape[1]) < past.lengths[:, None, None]
        seen = jnp.broadcast_to(seen, (texts, tokens, before.shape[1]))
        causal = jnp.broadcast_to(jnp.tri(tokens, dtype=bool), (texts, tokens, tokens))
        bias = jnp.where(jnp.concatenate([seen, causal], axis=2), 0.0, BLOCKED)
        kv = jnp.concatenate([before, own[grid.tokens]], axis=1)
        attended = attention(shape, query[grid.tokens], kv, bias)
        return attended.reshape(texts * tokens, -1)[grid.slots]

    return attend


@partial(jax.jit, static_argnums=0)
def read_block(
    shape: Shape, x: Array, layer: Layer, turn: Rotation, grid: Grid, past: Past
) -> tuple[Array, Array]:
    """The frozen block; also the keys and values that later tokens attend to."""
    kept: list[Array] = []
    x = block(shape, x, layer, {}, turn, after(shape, grid, past, kept))
    return x, kept[0]


def linear(x: Array, matrix: Matrix) -> Array:
    """x times the transposed matrix; said this way, its gradient keeps no transposed copy."""
    if matrix.dtype == jnp.bfloat16:
        return _rough(x, matrix)
    return jax.lax.dot_general(x, matrix, (((x.ndim - 1,), (1,)), ((), ())))


@jax.custom_vjp
def _rough(x: Array, matrix: Array) -> Array:
    """The same with factors of half precision, and sums of full precision, there and back."""
    return _product(x, matrix, 1)


def _product(x: Array, matrix: Array, side: int) -> Array:
    return jax.lax.dot_general(
        x.astype(jnp.bfloat16),
        matrix,
        (((x.ndim - 1,), (side,)), ((), ())),
        preferred_element_type=jnp.float32,
    )


def _there(x: Array, matrix: Array) -> tuple[Array, Array]:
    return _rough(x, matrix), matrix


def _back(matrix: Array, pull: Array) -> tuple[Array, None]:
    return _product(pull, matrix, 0), None  # the frozen matrix has no gradient that anyone wants


_rough.defvjp(_there, _back)


def norm(shape: Shape, x: Array, gain: Matrix) -> Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + shape.epsilon) * gain


def _rotate(x: Array, turn: Rotation) -> Array:
    heads = x.reshape(*x.shape[:-1], -1, 2, turn.cos.shape[-1])
    left, right = heads[..., 0, :], heads[..., 1, :]
    cos, sin = turn.cos[..., None, :], turn.sin[..., None, :]
    rotated = jnp.stack([left * cos - right * sin, right * cos + left * sin], axis=-2)
    return rotated.reshape(x.shape)
