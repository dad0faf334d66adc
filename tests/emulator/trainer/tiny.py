"""A model too small to know anything, and the same transformer said plainly, to compare with."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from tokenizers.pre_tokenizers import ByteLevel

from jobs.emulator.trainer import lora
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.reading import Reader, Tokens, room
from jobs.emulator.trainer.tokenizer import ChatTokenizer
from jobs.emulator.trainer.weights import Layer, Shape

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TOKENIZER = ChatTokenizer([*CONTROL, *sorted(ByteLevel.alphabet())], [], CONTROL)
SHAPE = Shape(
    layers=2,
    width=32,
    hidden=48,
    heads=4,
    kv_heads=2,
    vocabulary=len(CONTROL) + 256,
    rope_base=10_000.0,
    epsilon=1e-5,
)
LAYOUT = lora.Layout(SHAPE, rank=4)


def _frozen() -> Frozen:
    random = np.random.default_rng(0)
    s = SHAPE

    def matrix(outputs: int, inputs: int) -> Array:
        return jnp.asarray(random.normal(0, inputs**-0.5, (outputs, inputs)), jnp.float32)

    def gain() -> Array:
        return jnp.asarray(random.uniform(0.5, 1.5, s.width), jnp.float32)

    def layer() -> Layer:
        return Layer(
            attention_norm=gain(),
            query_key_value=matrix(s.width + 2 * s.kv_width, s.width),
            output=matrix(s.width, s.width),
            mlp_norm=gain(),
            gate_up=matrix(2 * s.hidden, s.width),
            down=matrix(s.width, s.hidden),
        )

    return Frozen(
        shape=s,
        layers=[layer() for _ in range(s.layers)],
        embedding=2 * matrix(s.vocabulary, s.width),
        norm=gain(),
        opening=TOKENIZER.opening,
    )


FROZEN = _frozen()


def new_reader() -> Reader:
    return Reader(SHAPE, FROZEN.layers, FROZEN.embedding)


def some_tokens(count: int, seed: int = 0) -> Tokens:
    """Words only: nothing that ends an answer."""
    return tuple(np.random.default_rng(seed).integers(3, SHAPE.vocabulary, count).tolist())


def some_rows(seed: int = 0) -> Array:
    """An adapter that changes the model."""
    random = np.random.default_rng(seed)
    return jnp.asarray(random.normal(0, 0.1, (SHAPE.layers, LAYOUT.length)), jnp.float32)


def plain(tokens: Sequence[int], adapted_from: int, rows: Array | None) -> tuple[Array, Array]:
    """Logits after each token of one whole text, and the keys beside values of every layer.

    The adapter's rows are those of the last layers.
    """
    logits, kept, _ = _plain(_padded(tokens), adapted_from, rows)
    return logits[: len(tokens)], kept[:, : len(tokens)]


def plain_states(tokens: Sequence[int]) -> Array:
    """One whole text as it enters each layer of the model as it is."""
    _, _, states = _plain(_padded(tokens), 0, None)
    return jnp.asarray(states[:, : len(tokens)])


def _padded(tokens: Sequence[int]) -> NDArray[np.int32]:
    # What comes after a text does not change it, and fewer shapes are fewer programs to compile.
    padded = np.zeros(room(len(tokens), 64), np.int32)
    padded[: len(tokens)] = tokens
    return padded


@jax.jit
def _plain(tokens: Array, adapted_from: Array, rows: Array | None) -> tuple[Array, Array, Array]:
    active = (jnp.arange(len(tokens)) >= adapted_from)[:, None]
    x = FROZEN.embedding[tokens]
    kept, states = [], []
    adapted = [] if rows is None else [LAYOUT.deltas(row) for row in rows]
    deltas = [None] * (len(FROZEN.layers) - len(adapted)) + adapted
    for layer, own_deltas in zip(FROZEN.layers, deltas, strict=True):
        states.append(x)
        x, own = _plain_block(x, layer, own_deltas, active)
        kept.append(own)
    logits = _plain_norm(x, jnp.asarray(FROZEN.norm)) @ FROZEN.embedding.T
    return logits, jnp.stack(kept), jnp.stack(states)


def _plain_block(
    x: Array, layer: Layer, deltas: lora.Deltas | None, active: Array
) -> tuple[Array, Array]:
    s = SHAPE

    def through(matrix: Array, name: str, h: Array) -> Array:
        if deltas is None:
            return h @ matrix.T
        a, b = deltas[name]
        return h @ matrix.T + jnp.where(active, lora.SCALE * (h @ a @ b), 0.0)

    parts = (s.width, s.width + s.kv_width)
    wq, wk, wv = jnp.split(jnp.asarray(layer.query_key_value), parts)
    h = _plain_norm(x, jnp.asarray(layer.attention_norm))
    query = _plain_turn(through(wq, "query", h))
    key, value = _plain_turn(through(wk, "key", h)), through(wv, "value", h)
    mixed = _plain_attention(query, key, value)
    x = x + through(jnp.asarray(layer.output), "output", mixed)
    h = _plain_norm(x, jnp.asarray(layer.mlp_norm))
    gate, up = jnp.split(jnp.asarray(layer.gate_up), 2)
    h = jax.nn.silu(through(gate, "gate", h)) * through(up, "up", h)
    x = x + through(jnp.asarray(layer.down), "down", h)
    return x, jnp.concatenate([key, value], axis=1)


def _plain_norm(x: Array, gain: Array) -> Array:
    return x / jnp.sqrt((x**2).mean(-1, keepdims=True) + SHAPE.epsilon) * gain


def _plain_turn(x: Array) -> Array:
    width = SHAPE.head_width
    places, numbers = np.arange(len(x))[:, None], np.arange(width // 2)
    angles = jnp.asarray(places * SHAPE.rope_base ** (-2 * numbers / width))
    heads = []
    for head in jnp.split(x, x.shape[1] // width, axis=1):
        turned = (head[:, : width // 2] + 1j * head[:, width // 2 :]) * jnp.exp(1j * angles)
        heads += [turned.real, turned.imag]
    return jnp.concatenate(heads, axis=1)


def _plain_attention(query: Array, key: Array, value: Array) -> Array:
    mixed = []
    for number, asked in enumerate(jnp.split(query, SHAPE.heads, axis=1)):
        shared = number * SHAPE.kv_heads // SHAPE.heads
        known = jnp.split(key, SHAPE.kv_heads, axis=1)[shared]
        scores = asked @ known.T / SHAPE.head_width**0.5
        scores = jnp.where(np.tri(len(scores), dtype=bool), scores, -jnp.inf)
        mixed.append(jax.nn.softmax(scores) @ jnp.split(value, SHAPE.kv_heads, axis=1)[shared])
    return jnp.concatenate(mixed, axis=1)
