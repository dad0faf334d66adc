"""Counting: the tokens of training examples by the service's own count, asked for only once.

Some examples go into one call. What an answer was is kept by the digest of what was asked, so an
unchanged dataset costs nothing, and a count that was broken off goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from msgspec import to_builtins

from jobs.runner.desired import Resolved, revised
from jobs.runner.seen import Seen
from jobs.runner.vertex import Vertex

FILE = "tokens.db"
_CHARACTERS, _TURNS = 100_000, 1_000  # of one call
_AT_ONCE = 8

Content = dict[str, Any]


@dataclass(frozen=True)
class Counting:
    """`where`: Vertex AI, or the emulator, whose small model counts otherwise."""

    seen: Seen
    where: str

    @property
    def basis(self) -> str:
        return f"counted by {self.where}"

    def remembered(self, one: Resolved) -> Resolved:
        """With the service's count, if it was asked for before."""
        found = self.seen.get(self._key(one)) if one.desired else None
        return one if found is None else revised(one, found["tokens"], self.basis)

    def counted(self, one: Resolved, vertex: Vertex, said: Callable[[int], None]) -> Resolved:
        """With the service's count. `said` hears how many examples each call was of."""
        if one.desired is None or self.seen.get(self._key(one)) is not None:
            return self.remembered(one)
        base, systems, tokens = one.file.spec.base_model, Counter[str](), 0
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            batches = _batches(one, systems)
            while some := list(islice(batches, _AT_ONCE)):
                for (examples, _), number in zip(
                    some, self._asked(base, [b for _, b in some], vertex, pool), strict=True
                ):
                    tokens += number
                    said(examples)
            # Every example has its system instruction, and is billed for it.
            for text, times in systems.items():
                (number,) = self._asked(base, [[_said(text)]], vertex, pool)
                tokens += number * times
        self.seen.put(self._key(one), {"tokens": tokens})
        return revised(one, tokens, self.basis)

    def _asked(
        self,
        base: str,
        batches: Sequence[Sequence[Content]],
        vertex: Vertex,
        pool: ThreadPoolExecutor,
    ) -> list[int]:
        def ask(batch: Sequence[Content]) -> int:
            key = _digest(self.where, base, json.dumps(batch))
            if (found := self.seen.get(key)) is not None:
                return int(found["tokens"])
            tokens = vertex.count_tokens(base, batch)
            self.seen.put(key, {"tokens": tokens})  # kept even if another one fails
            return tokens

        return list(pool.map(ask, batches))

    def _key(self, one: Resolved) -> str:
        return _digest(self.where, one.file.spec.base_model, one.dataset.train.digest)


def _batches(one: Resolved, systems: Counter[str]) -> Iterator[tuple[int, list[Content]]]:
    """How many examples, and their turns; system instructions are gathered, not repeated."""
    turns: list[Content] = []
    examples = characters = 0
    for example in one.dataset.train.read(one.file.spec.instructions):
        if turns and (characters + example.characters > _CHARACTERS or len(turns) >= _TURNS):
            yield examples, turns
            turns, examples, characters = [], 0, 0
        turns += [to_builtins(turn) for turn in example.contents]
        if example.system:
            systems[example.system] += 1
        examples, characters = examples + 1, characters + example.characters
    yield examples, turns


def _said(text: str) -> Content:
    return {"role": "user", "parts": [{"text": text}]}


def _digest(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
