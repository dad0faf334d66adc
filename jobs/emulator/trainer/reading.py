"""Reader: prompts read once by the frozen model, as the keys and values that answers attend to."""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from jobs.emulator.trainer import model
from jobs.emulator.trainer.memory import Memory
from jobs.emulator.trainer.weights import Layer, Shape

Tokens = tuple[int, ...]
Kept = NDArray[np.float16]  # (layers, tokens, 2 * kv_width)

ROW = 1024  # tokens that go through a block together
CELLS = 1536  # and the room for their texts, side by side, each as long as the longest
CAPACITY = 26_000  # tokens that are remembered, of some 23 kB each
_SHORTEST_PREFIX = 16


def room(number: int, least: int) -> int:
    """`least` doubled until it holds `number`: each new shape costs seconds of compilation."""
    return least if number <= least else room(number, 2 * least)


class Reader:
    """Remembers what it has read lately; a beginning that all prompts share is read once."""

    def __init__(self, shape: Shape, layers: Sequence[Layer], embedding: Array) -> None:
        self._shape, self._layers, self._embedding = shape, layers, embedding
        self._memory: Memory[Tokens, Kept] = Memory(CAPACITY, len)
        self._prefix: Tokens = ()
        self._prefix_kept = self._nothing()

    def read(self, prompts: Sequence[Tokens]) -> list[Kept]:
        """The keys and values of each prompt, in the order given."""
        return self._memory.recall(prompts, self._anew)

    def _anew(self, prompts: list[Tokens]) -> list[Kept]:
        self._share(prompts)
        found: dict[Tokens, Kept] = {}
        for group in self._groups(sorted(prompts, key=len, reverse=True)):
            found.update(zip(group, self._read_group(group), strict=True))
        return [found[prompt] for prompt in prompts]

    def _share(self, prompts: Sequence[Tokens]) -> None:
        """Keep the shared beginning of the last prompts while it serves; else find a new one."""
        serves = all(p[: len(self._prefix)] == self._prefix != p for p in prompts)
        if serves and self._prefix:
            return
        shared = _shared(prompts)
        self._prefix, self._prefix_kept = (), self._nothing()
        if len(prompts) > 1 and len(shared) >= _SHORTEST_PREFIX:
            self._prefix_kept = self._read_group([shared])[0]
            self._prefix = shared

    def _nothing(self) -> Kept:
        return np.zeros((self._shape.layers, 0, 2 * self._shape.kv_width), np.float16)

    def _groups(self, prompts: Sequence[Tokens]) -> Iterator[list[Tokens]]:
        """Prompts, longest first, as many together as fit into a row."""
        group: list[Tokens] = []
        left = most = 0
        for prompt in prompts:
            length = len(prompt) - len(self._prefix)
            if group and (length > left or len(group) == most):
                yield group
                group = []
            if not group:
                left, most = max(ROW, length), _texts(_places(length))
            group.append(prompt)
            left -= length
        yield group

    def _read_group(self, prompts: Sequence[Tokens]) -> list[Kept]:
        start = len(self._prefix)
        texts = [prompt[start:] for prompt in prompts]
        places = _places(max(map(len, texts)))
        row = _row(sum(map(len, texts)))
        tokens, positions = np.zeros(row, np.int32), np.zeros(row, np.int32)
        lengths = [len(text) for text in texts]
        for text, begin in zip(texts, _starts(lengths), strict=True):
            tokens[begin : begin + len(text)] = text
            positions[begin : begin + len(text)] = start + np.arange(len(text))
        kept = self._run(tokens, positions, grid(lengths, row, _texts(places), places))
        return [
            np.concatenate([self._prefix_kept, kept[:, begin : begin + length]], axis=1)
            for begin, length in zip(_starts(lengths), lengths, strict=True)
        ]

    def _run(
        self,
        tokens: NDArray[np.int32],
        positions: NDArray[np.int32],
        where: model.Grid,
    ) -> Kept:
        x = self._embedding[tokens]
        turn = model.rotation(self._shape, jnp.asarray(positions))
        before, length = self._prefix_kept, len(self._prefix)
        places = room(length, 32) if length else 0
        shared = np.zeros((len(before), 1, places, before.shape[2]), np.float16)
        shared[:, 0, :length] = before
        kept = []
        for layer, past in zip(self._layers, shared, strict=True):
            seen = model.Past(jnp.asarray(past), jnp.full(len(where.tokens), length))
            x, own = model.read_block(self._shape, x, layer, turn, where, seen)
            kept.append(own)
        return np.stack(kept)


def _places(longest: int) -> int:
    return room(longest, 32)


def _texts(places: int) -> int:
    return max(1, CELLS // places)


def _row(tokens: int) -> int:
    """Room for so many tokens that wastes little, in few shapes."""
    return 128 if tokens <= 128 else -(-tokens // 256) * 256


def _shared(prompts: Sequence[Tokens]) -> Tokens:
    """The longest beginning of all prompts that leaves something of each."""
    first, last = min(prompts), max(prompts)
    shortest = min(map(len, prompts)) - 1
    alike = [one == other for one, other in zip(first[:shortest], last, strict=False)]
    return first[: alike.index(False) if False in alike else shortest]


def grid(lengths: Sequence[int], row: int, texts: int, places: int) -> model.Grid:
    """Where the tokens of texts that follow each other in a row stand, text by text."""
    tokens, slots = np.zeros((texts, places), np.int32), np.zeros(row, np.int32)
    for text, (begin, length) in enumerate(zip(_starts(lengths), lengths, strict=True)):
        tokens[text, :length] = begin + np.arange(length)
        slots[begin : begin + length] = text * places + np.arange(length)
    return model.Grid(jnp.asarray(tokens), jnp.asarray(slots))


def _starts(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:number]) for number in range(len(lengths))]
