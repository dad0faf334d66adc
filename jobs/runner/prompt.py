"""Prompt: what all prompts of a dataset start and end with, so that new texts are asked alike."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Prompt:
    """What every prompt of a split starts and ends with; new texts are wrapped the same way."""

    system: str | None
    prefix: str
    suffix: str

    def wrap(self, text: str) -> str:
        """`text` as the training prompts are; what it has of that already is not added again."""
        begun, ended = text.startswith(self.prefix), self._ends(text)
        if begun and ended:
            return text
        body = text.removeprefix(self.prefix).rstrip()
        if ended:
            body = body.removesuffix(self.suffix.rstrip())
        return f"{self.prefix}{body.strip()}{self.suffix}"

    def _ends(self, text: str) -> bool:
        """Blanks after the end do not count, unless they are all there is of it."""
        end = self.suffix.rstrip()
        return text.rstrip().endswith(end) if end else text.endswith(self.suffix)


class Template:
    """What all prompts so far share at their start and end, and as their system instruction."""

    def __init__(self) -> None:
        self._count = self._shortest = 0
        self._system: str | None = None
        self._prefix = self._suffix = ""

    def narrow_all(self, systems: Sequence[str | None], prompts: Sequence[str]) -> None:
        """All at once, where they share what all before them did, as nearly all do."""
        start, end = self._prefix, self._suffix
        same = self._system is None or {*systems} == {self._system}
        if (
            self._count
            and same
            and all([one.startswith(start) and one.endswith(end) for one in prompts])
        ):
            self._count += len(prompts)
            self._shortest = min(self._shortest, *map(len, prompts))
            return
        for system, prompt in zip(systems, prompts, strict=True):
            self.narrow(system, prompt)

    def narrow(self, system: str | None, prompt: str) -> None:
        self._count += 1
        if self._count == 1:
            self._system, self._shortest = system, len(prompt)
            self._prefix = self._suffix = prompt
            return
        self._shortest = min(self._shortest, len(prompt))
        if system != self._system:
            self._system = None
        if not prompt.startswith(self._prefix):
            self._prefix = _shared(self._prefix, prompt)
        if not prompt.endswith(self._suffix):
            self._suffix = _shared(self._suffix[::-1], prompt[::-1])[::-1]

    def prompt(self) -> Prompt:
        """No prefix and suffix where they overlap: texts that are alike are no template."""
        if self._count < 2 or len(self._prefix) + len(self._suffix) > self._shortest:
            return Prompt(self._system, "", "")
        return Prompt(self._system, _to_last_space(self._prefix), _from_first_break(self._suffix))


def _shared(one: str, other: str) -> str:
    """The longest common start of two texts."""
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return one[: min(len(one), len(other)) if length is None else length]


def _to_last_space(text: str) -> str:
    """A shared start, cut where a word ends: what words happen to share is no template."""
    end = max(text.rfind(" "), text.rfind("\n"))
    return text[: end + 1] if ":" in text[: end + 1] else ""


def _from_first_break(text: str) -> str:
    """A shared end, from its first line break on: a sentence's own end is no template."""
    start = text.find("\n")
    return text[start:] if start >= 0 else ""
