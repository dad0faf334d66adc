"""Generation: answers token by token, several prompts at once, with or without an adapter."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from jobs.emulator.trainer import lora, model
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.reading import Reader, Tokens, room
from jobs.emulator.trainer.weights import Layer, Shape

PLACES = 6144  # texts times the longest of them, of some 46 kB each


def generate(
    frozen: Frozen,
    reader: Reader,
    adapter: tuple[lora.Layout, Array] | None,
    prompts: Sequence[Tokens],
    *,
    stops: frozenset[int],
    max_tokens: int,
    temperature: float,
    seed: int,
) -> list[Tokens]:
    """The answers' tokens, without the mark that ends them, in the order of the prompts."""
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    answers: dict[int, Tokens] = {}
    while order:
        longest = _places(len(prompts[order[-1]]) + len(frozen.opening) + max_tokens)
        most = max(1, min(32, PLACES // longest))
        group, order = order[-most:], order[:-most]
        texts = min(most, room(len(group), 8)) if len(group) > 1 else 1
        run = _Run(frozen, adapter, reader.read([prompts[n] for n in group]), texts, longest)
        choose = [_Choice(prompts[n], temperature, seed) for n in group]
        answers |= zip(group, _answers(run, choose, stops, max_tokens), strict=True)
    return [answers[number] for number in range(len(prompts))]


def _places(longest: int) -> int:
    """In few shapes: each is another program to compile."""
    return -(-longest // 64) * 64 if longest <= 256 else room(longest, 512)


def _answers(
    run: "_Run", choose: Sequence["_Choice"], stops: frozenset[int], max_tokens: int
) -> list[Tokens]:
    said: list[list[int]] = [[] for _ in choose]
    open_ones = set(range(len(choose)))
    following = np.tile(np.asarray(run.frozen.opening, np.int32), (run.texts, 1))
    for _ in range(max_tokens):
        logits = run.advance(following)
        following = np.zeros((run.texts, 1), np.int32)
        for number in sorted(open_ones):
            token = choose[number].token(logits[number])
            following[number] = token
            if token in stops:
                open_ones.discard(number)
            else:
                said[number].append(token)
        if not open_ones:
            break
    return [tuple(tokens) for tokens in said]


class _Choice:
    """How the next token of one prompt is chosen: the likeliest, or drawn by seed and prompt."""

    def __init__(self, prompt: Tokens, temperature: float, seed: int) -> None:
        self._temperature = temperature
        digest = sha256(repr((seed, prompt)).encode()).digest()
        self._random = np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def token(self, logits: NDArray[np.float32]) -> int:
        if self._temperature <= 0:
            return int(np.argmax(logits))
        noise = self._random.gumbel(size=logits.shape)
        return int(np.argmax(logits / self._temperature + noise))


class _Run:
    """Some texts on their way, with all keys and values so far."""

    def __init__(
        self,
        frozen: Frozen,
        adapter: tuple[lora.Layout, Array] | None,
        kept: Sequence[NDArray[np.float16]],
        texts: int,
        places: int,
    ) -> None:
        self.frozen, self.texts = frozen, texts
        layout, rows = adapter or (None, ())
        # An adapter has a row for each of the last layers.
        without = len(frozen.layers) - len(rows)
        self._adapters = [(None, None)] * without + [(layout, row) for row in rows]
        self._lengths = np.zeros(texts, np.int32)
        kv = np.zeros((frozen.shape.layers, texts, places, 2 * frozen.shape.kv_width), np.float16)
        for number, own in enumerate(kept):
            kv[:, number, : own.shape[1]] = own
            self._lengths[number] = own.shape[1]
        self._cache = [jnp.asarray(layer, jnp.float32) for layer in kv]

    def advance(self, tokens: NDArray[np.int32]) -> NDArray[np.float32]:
        """Append (texts, count) tokens; the logits of what follows the last of each."""
        frozen, count = self.frozen, tokens.shape[1]
        positions = self._lengths[:, None] + np.arange(count)
        turn = model.rotation(frozen.shape, jnp.asarray(positions.reshape(-1)))
        at = jnp.asarray(self._lengths)
        x = frozen.embedding[tokens.reshape(-1)]
        for number, layer in enumerate(frozen.layers):
            layout, row = self._adapters[number]
            x, self._cache[number] = _extend(
                frozen.shape, layout, x, layer, row, turn, at, self._cache[number]
            )
        self._lengths = self._lengths + count
        last = x.reshape(self.texts, count, -1)[:, -1]
        return np.asarray(_logits(frozen.shape, last, frozen.embedding, frozen.norm))


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=(7,))
def _extend(
    shape: Shape,
    layout: lora.Layout | None,
    x: Array,
    layer: Layer,
    row: Array | None,
    turn: model.Rotation,
    at: Array,
    cache: Array,
) -> tuple[Array, Array]:
    """One block on new tokens; `at` is how many each text had before."""
    texts = cache.shape[0]
    count = x.shape[0] // texts
    extended: list[Array] = []

    def attend(query: Array, key: Array, value: Array) -> Array:
        own = jnp.concatenate([key, value], axis=-1).reshape(texts, count, -1)
        kv = jax.vmap(_written)(cache, own, at)
        extended.append(kv)
        last = at[:, None, None] + jnp.arange(count)[None, :, None]
        bias = jnp.where(jnp.arange(kv.shape[1])[None, None] <= last, 0.0, model.BLOCKED)
        attended = model.attention(shape, query.reshape(texts, count, -1), kv, bias)
        return attended.reshape(texts * count, -1)

    deltas = {} if layout is None or row is None else layout.deltas(row)
    return model.block(shape, x, layer, deltas, turn, attend), extended[0]


def _written(cache: Array, own: Array, at: Array) -> Array:
    return jax.lax.dynamic_update_slice(cache, own, (at, 0))


@partial(jax.jit, static_argnums=0)
def _logits(shape: Shape, x: Array, embedding: Array, gain: Array) -> Array:
    return model.linear(model.norm(shape, x, gain), embedding)
