"""Rows: some examples of a split in their order, as columns, for those who watch the reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import add
from typing import Literal, Protocol

from jobs.runner.example import Example, Pairs, asked
from jobs.runner.forms import Columns, Form

SplitName = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Rows:
    """`shown` is what messages call the split; `numbers` are the lines."""

    split: SplitName
    shown: str
    numbers: Sequence[int]
    examples: Sequence[Example]

    @property
    def _pairs(self) -> Columns | None:
        """What saves making each example, where each is one question and its answer."""
        return self.examples.columns if isinstance(self.examples, Pairs) else None

    @cached_property
    def prompts(self) -> Sequence[str]:
        return self._pairs.prompts if self._pairs else [one.prompt for one in self.examples]

    @cached_property
    def answers(self) -> Sequence[str]:
        return self._pairs.answers if self._pairs else [one.answer for one in self.examples]

    @cached_property
    def systems(self) -> Sequence[str | None]:
        return self._pairs.systems if self._pairs else [one.system for one in self.examples]

    @cached_property
    def forms(self) -> Sequence[Form]:
        if self._pairs:
            return [self._pairs.form] * len(self.examples)
        return [one.form for one in self.examples]

    @cached_property
    def characters(self) -> Sequence[int]:
        """Of all that each example says."""
        if not self._pairs:
            return [one.characters for one in self.examples]
        _, systems, *texts = self._pairs
        said = map(add, *[map(len, some) for some in texts])
        return [*said] if not any(systems) else [*map(add, said, [len(s or "") for s in systems])]

    @property
    def with_files(self) -> int:
        """How many hold files."""
        return 0 if self._pairs else sum([one.holds_files for one in self.examples])

    @cached_property
    def asked(self) -> Sequence[str]:
        """All of each example but its answer."""
        if not self._pairs:
            return [one.asked for one in self.examples]
        _, systems, prompts, _ = self._pairs
        if not any(systems):
            return prompts
        return [asked(one, system) for one, system in zip(prompts, systems, strict=True)]

    @cached_property
    def dialogues(self) -> Sequence[str]:
        """All turns of each but its answer; nothing where a file says the rest."""
        return self._pairs.prompts if self._pairs else [one.dialogue for one in self.examples]

    def text(self, row: int) -> str:
        """Prompt and answer."""
        return f"{self.asked[row]}\n{self.answers[row]}"

    @cached_property
    def whole(self) -> bytes:
        """All texts in one, a line each, to look at once for what is rare."""
        both = zip(self.asked, self.answers, strict=True)
        return "\n".join([text for pair in both for text in pair]).encode()

    @cached_property
    def ends(self) -> Sequence[int]:
        """Where in the whole each text ends, its line end included."""
        size: Callable[[str], int] = len if self.whole.isascii() else _bytes
        both = zip(self.asked, self.answers, strict=True)
        return [*accumulate([size(asked) + size(said) + 2 for asked, said in both])]


def _bytes(text: str) -> int:
    return len(text.encode())


class Watch(Protocol):
    """Who is shown all examples once, split by split, while they are read for other ends."""

    def take(self, rows: Rows) -> None: ...
