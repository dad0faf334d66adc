"""Systems: system instructions that only some examples have, or that differ between splits."""

from collections.abc import Iterator, Sequence

from jobs.runner import rules
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, finding

_MOST = 2  # different ones that are kept, to know whether there is one alone


class Systems:
    def __init__(self) -> None:
        self._with: dict[SplitName, Found] = {}
        self._without: dict[SplitName, Found] = {}
        self._kept: dict[SplitName, set[str | None]] = {}

    def take(self, rows: Rows) -> None:
        given = self._with.setdefault(rows.split, Found(rows.shown))
        missing = self._without.setdefault(rows.split, Found(rows.shown))
        kept = self._kept.setdefault(rows.split, set())
        for system in {*rows.systems}:
            if len(kept) < _MOST:
                kept.add(system)
        what = "has no system instruction, which most others have"
        missing.add_all(rules.SOME_SYSTEM, _lines(rows, without=True), what)
        what = "has a system instruction, which most others have not"
        given.add_all(rules.SOME_SYSTEM, _lines(rows, without=False), what)

    def findings(self) -> Iterator[Finding]:
        for split, given in self._with.items():
            missing = self._without[split]
            if given and missing:
                yield from min(missing, given, key=len).all()
        train = self._kept.get("train", set())
        for split, kept in self._kept.items():
            if len(train) == len(kept) == 1 and train != kept:
                what = "has another system instruction than the training data"
                yield finding(rules.DRIFT, self._with[split].path, 0, what)


def _lines(rows: Rows, without: bool) -> Sequence[int]:
    """Of those that are without a system instruction, or of the others."""
    if (missing := rows.systems.count(None)) in (0, len(rows.systems)):
        return rows.numbers if bool(missing) is without else []
    both = zip(rows.numbers, rows.systems, strict=True)
    return [line for line, system in both if (system is None) is without]
