"""Stats: how many examples a file has, how long they are, and which answers are frequent."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jobs.runner.datasets.files import checked, rows

MOST_LABELS = 20
_WIDTH = 40


@dataclass(frozen=True)
class Stats:
    """Lengths are counted in classes that double: up to 1, 2, 4, 8, … characters."""

    examples: int
    characters: int
    prompts: Counter[int]
    answers: Counter[int]
    labels: Counter[str] | None  # None where nearly every answer is another one


def stats(path: Path) -> Stats:
    found = checked(path).train
    prompts: Counter[int] = Counter()
    answers: Counter[int] = Counter()
    labels: Counter[str] = Counter()
    for row in rows(path):
        prompts[_class(len(row.example.asked))] += 1
        answers[_class(len(row.example.answer))] += 1
        if len(labels) <= found.examples // 2:
            labels[row.example.answer] += 1
    few = len(labels) <= max(1, found.examples // 2)
    return Stats(found.examples, found.characters, prompts, answers, labels if few else None)


def _class(length: int) -> int:
    return 1 << (length - 1).bit_length()


def histogram(count: Counter[int]) -> list[str]:
    """A line for each length that is there, the longest bar for the most frequent."""
    most = max(count.values(), default=1)
    return [
        f"{f'up to {length:,}':>16} {number:>9,} {'#' * max(1, _WIDTH * number // most)}"
        for length, number in sorted(count.items())
    ]


def frequent(labels: Counter[str]) -> list[str]:
    lines = [f"{number:>9,}  {label[:60]!r}" for label, number in labels.most_common(MOST_LABELS)]
    more = len(labels) - MOST_LABELS
    return [*lines, f"and {more:,} more"] if more > 0 else lines
