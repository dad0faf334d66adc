"""Weighing: how many tokens a split is likely to have, from a part of its examples.

The first examples are looked at whole, and later on a few at even distances; what lies between
two looks counts as both of them say. How many characters there are is always known.
"""

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate

from jobs.runner.example import Example, text_of
from jobs.runner.tokens import Guess, guess

_WHOLE = 64 * 1024  # characters of the first look, which is all of a small dataset
_LATER = 2 * 1024
_PIECE = 512
_GOLDEN = 0.618  # spreads the pieces so that they fall in with no period of the text
_EVERY = 1024 * 1024  # characters, one look; at first one for each eighth more


class Weighing:
    def __init__(self, guess: Callable[[Sequence[str]], Guess] = guess) -> None:
        self._guess = guess
        self._weighed = self._unweighed = 0  # characters
        self._weight = Guess()  # of one character
        self._sum = Guess()

    def take(self, examples: Sequence[Example], sizes: Sequence[int]) -> None:
        """`sizes` are the characters of each example."""
        self._unweighed += sum(sizes)
        if sizes and self._unweighed >= min(_EVERY, self._weighed // 8):
            self._look(examples, sizes, _LATER if self._weighed else _WHOLE)

    def _look(self, examples: Sequence[Example], sizes: Sequence[int], most: int) -> None:
        texts, here = _sample(examples, sizes, most), sum(sizes)
        looked = sum(map(len, texts))
        before, now = self._weight, self._guess(texts) * (1 / max(looked, 1))
        self._sum += now * here + (before + now) * 0.5 * (self._unweighed - here)
        self._weighed += self._unweighed
        self._weight, self._unweighed = now, 0

    def total(self) -> Guess:
        return self._sum + self._weight * self._unweighed


def _sample(examples: Sequence[Example], sizes: Sequence[int], most: int) -> list[str]:
    """All if there are no more characters than that, else pieces from all over."""
    if sum(sizes) <= most:
        return [text(one) for one in examples]
    distance = sum(sizes) * _PIECE / most
    starts = [*accumulate(sizes, initial=0)]
    pieces: list[str] = []
    next_ = 0.0
    while next_ < starts[-1]:
        place = bisect(starts, next_) - 1
        pieces.append(_whole_words(text(examples[place]), int(next_) - starts[place]))
        next_ = (len(pieces) + len(pieces) * _GOLDEN % 1) * distance
    return pieces


def _whole_words(said: str, start: int) -> str:
    """A piece of a text; half words at its ends would be too many words."""
    piece = said[start : start + _PIECE]
    first = piece.find(" ") if start and not said[start - 1].isspace() else 0
    last = piece.rfind(" ") if start + _PIECE < len(said) else len(piece)
    return piece[first:last] if 0 <= first < last else piece


def text(example: Example) -> str:
    """All that is billed of an example, functions as JSON; what files cost no text tells."""
    said = [text_of(turn) for turn in example.contents]
    if example.tools is not None:
        said.append(example.declared)
    return " ".join([example.system, *said] if example.system else said)
