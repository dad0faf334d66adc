"""Places: which line of which split each row of a dataset is, in the order of reading."""

from array import array

from jobs.runner.encoded import Encoded
from jobs.runner.rows import Rows, SplitName


class Places:
    """Rows are counted through all splits; `shown` is what messages call a split."""

    def __init__(self) -> None:
        self.shown: dict[SplitName, str] = {}
        self._starts: dict[SplitName, int] = {}
        self._lines = array("L")

    def __len__(self) -> int:
        return len(self._lines)

    def extend(self, rows: Rows | Encoded) -> None:
        self.shown[rows.split] = rows.shown
        self._starts.setdefault(rows.split, len(self._lines))
        self._lines.extend(rows.numbers)

    def of(self, row: int) -> tuple[SplitName, int]:
        _, split = max((start, name) for name, start in self._starts.items() if start <= row)
        return split, self._lines[row]

    def data(self, row: int) -> str:
        """A row in words, where another split is spoken of."""
        split, line = self.of(row)
        name = "training" if split == "train" else split
        return f"{name} data ({self.shown[split]}:{line})"
