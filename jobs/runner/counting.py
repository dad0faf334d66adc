"""Counting: the tokens of training examples by the service's own count, asked for only once.

Some examples go into one call. What an answer was is kept by the digest of what was asked, so an
unchanged dataset costs nothing, and a count that was broken off goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from msgspec import to_builtins

from jobs.runner.desired import Resolved, revised
from jobs.runner.seen import Seen
from jobs.runner.vertex import Vertex

FILE = "tokens.db"
_CHARACTERS, _TURNS = 100_000, 1_000  # of one call
_AT_ONCE = 8


@dataclass(frozen=True)
class _Said:
    """Turns, as the wire has them."""

    contents: list[dict[str, Any]]
    characters: int
    examples: int = 1
    tools: str = ""  # as JSON; counted by themselves

    @property
    def told(self) -> tuple[str, ...]:
        return (self.tools,) if self.tools else ()


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
        base, systems, tools = one.file.spec.base_model, Counter[str](), Counter[str]()
        tokens = self._sum(base, _examples(one, systems, tools), vertex, said)
        # Every example has its system instruction and its tools, and is billed for them.
        for times in {*systems.values()}:
            texts = [_said(text) for text, count in systems.items() if count == times]
            tokens += times * self._sum(base, texts, vertex, lambda _: None)
        tokens += self._declared(base, tools, vertex)
        self.seen.put(self._key(one), {"tokens": tokens})
        return revised(one, tokens, self.basis)

    def _declared(self, base: str, tools: Counter[str], vertex: Vertex) -> int:
        """What tools add to a turn that is there in any case."""
        turn, tokens = _said("."), 0
        alone = self._sum(base, [turn], vertex, lambda _: None) if tools else 0
        for times in {*tools.values()}:
            some = [replace(turn, tools=text) for text, count in tools.items() if count == times]
            added = self._sum(base, some, vertex, lambda _: None) - len(some) * alone
            tokens += times * added
        return tokens

    def _sum(
        self, base: str, said: Iterable[_Said], vertex: Vertex, heard: Callable[[int], None]
    ) -> int:
        def ask(batch: _Said) -> int:
            key = _digest(self.where, base, json.dumps(batch.contents), *batch.told)
            if (found := self.seen.get(key)) is not None:
                return int(found["tokens"])
            tools = json.loads(batch.tools) if batch.tools else None
            tokens = vertex.count_tokens(base, batch.contents, tools)
            self.seen.put(key, {"tokens": tokens})  # kept even if another one fails
            return tokens

        tokens, batches = 0, _together(said)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while some := list(islice(batches, _AT_ONCE)):
                for batch, number in zip(some, pool.map(ask, some), strict=True):
                    tokens += number
                    heard(batch.examples)
        return tokens

    def _key(self, one: Resolved) -> str:
        return _digest("tools", self.where, one.file.spec.base_model, one.dataset.train.digest)


def _examples(one: Resolved, systems: Counter[str], tools: Counter[str]) -> Iterator[_Said]:
    """Their turns; system instructions and tools are gathered, not repeated."""
    for example in one.dataset.train.read(one.file.spec.instructions):
        if example.system:
            systems[example.system] += 1
        if example.declared:
            tools[example.declared] += 1
        yield _Said([to_builtins(turn) for turn in example.contents], example.characters)


def _said(text: str) -> _Said:
    return _Said([{"role": "user", "parts": [{"text": text}]}], len(text))


def _together(said: Iterable[_Said]) -> Iterator[_Said]:
    """As much as goes into one call."""
    batch = _Said([], 0, 0)
    for one in said:
        if one.tools:
            yield one
            continue
        full = batch.characters + one.characters > _CHARACTERS or len(batch.contents) >= _TURNS
        if full and batch.contents:
            yield batch
            batch = _Said([], 0, 0)
        contents = [*batch.contents, *one.contents]
        batch = _Said(contents, batch.characters + one.characters, batch.examples + one.examples)
    if batch.contents:
        yield batch


def _digest(*parts: str) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
