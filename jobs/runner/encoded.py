"""Encoded: what comparing examples needs of some rows, as bytes, here and in another process."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.runner.rows import Rows, SplitName

_BETWEEN = "\x1d"  # a single character, for which a search is fast; texts hardly ever hold it
Packed = tuple[SplitName, str, Sequence[int], "Column", "Column", "Column | None"]
Column = bytes | list[bytes]  # texts in one, where that can be parted again


@dataclass(frozen=True)
class Encoded:
    """`asked` is all but the answer; of that `dialogues` are the turns, where no file says more."""

    split: SplitName
    shown: str
    numbers: Sequence[int]
    asked: Sequence[bytes]
    answers: Sequence[bytes]
    dialogues: Sequence[bytes]


def encoded(rows: Rows) -> Encoded:
    return unpacked(packed(rows))


def packed(rows: Rows) -> Packed:
    """As few objects, for each costs time where it is sent and where it is received."""
    asked, answers = _joined(rows.asked), _joined(rows.answers)
    dialogues = None if rows.dialogues is rows.asked else _joined(rows.dialogues)
    return rows.split, rows.shown, rows.numbers, asked, answers, dialogues


def unpacked(rows: Packed) -> Encoded:
    split, shown, numbers, asked, answers, dialogues = rows
    texts = _parted(asked)
    others = texts if dialogues is None else _parted(dialogues)
    return Encoded(split, shown, numbers, texts, _parted(answers), others)


def _joined(texts: Sequence[str]) -> Column:
    whole = _BETWEEN.join(texts)
    if whole.count(_BETWEEN) == len(texts) - 1:
        return whole.encode()
    return [*map(str.encode, texts)]


def _parted(column: Column) -> Sequence[bytes]:
    return column.split(_BETWEEN.encode()) if isinstance(column, bytes) else column
