"""Sketch: what the ledger keeps of a test split, which is never uploaded, to compare it later."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from jobs.runner import dataset
from jobs.runner.dataset import NoDataset, Split
from jobs.runner.datasets.diff import Said
from jobs.runner.found import Found
from jobs.runner.lines import Source

_MOST = 5_000  # examples; an entry of the ledger is read whole
_LONGEST = 40  # characters of an answer that is kept, as a label is


def said(source: Source) -> Iterator[Said]:
    """Without the system instruction: a new one would make every example another one."""
    faults = Found(source.shown)
    try:
        for numbers, some in dataset.examples(source, None, faults):
            for number, example in zip(numbers, some, strict=True):
                yield number, replace(example, system=None).asked, example.answer
    except OSError as error:
        raise NoDataset(f"{source.shown} cannot be read: {error.strerror or error}") from None
    if faults.errors:
        raise NoDataset(f"{source.shown} holds lines that are no examples")


def sketch(split: Split) -> list[str]:
    """A digest of what is asked and the answer, of each example; nothing of too many of them."""
    if split.examples > _MOST:
        return []
    try:
        return [f"{asked} {answer}" for _, asked, answer in digested(said(split.source))]
    except NoDataset:  # a file that went bad since is no reason to tune nothing
        return []


def digested(some: Iterable[Said]) -> Iterator[Said]:
    for number, asked, answer in some:
        yield number, _digest(asked), answer if len(answer) <= _LONGEST else _digest(answer)


def unpacked(sketched: Sequence[str]) -> Iterator[Said]:
    for number, one in enumerate(sketched, 1):
        asked, _, answer = one.partition(" ")
        yield number, asked, answer


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
