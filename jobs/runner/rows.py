"""Rows: some examples of a split in their order, as columns, for those who watch the reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from jobs.runner.example import Example

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Rows:
    """`shown` is what messages call the split; `numbers` are the lines."""

    split: SplitName
    shown: str
    numbers: Sequence[int]
    examples: Sequence[Example]

    @cached_property
    def prompts(self) -> list[str]:
        return [example.prompt for example in self.examples]

    @cached_property
    def answers(self) -> list[str]:
        return [example.answer for example in self.examples]

    @cached_property
    def characters(self) -> list[int]:
        """Of all that each example says."""
        return [example.characters for example in self.examples]

    @cached_property
    def asked(self) -> list[str]:
        """All of each example but its answer."""
        return [example.asked for example in self.examples]

    @cached_property
    def texts(self) -> list[str]:
        """Prompts and answers, one text for each example."""
        return [f"{asked}\n{said}" for asked, said in zip(self.asked, self.answers, strict=True)]

    @cached_property
    def whole(self) -> bytes:
        """All texts in one, to look at once for what is rare."""
        return "\n".join(self.texts).encode()


class Watch(Protocol):
    """Who is shown all examples once, split by split, while they are read for other ends."""

    def take(self, rows: Rows) -> None: ...
