"""Found: the findings of one file; the first of each rule one by one, of the rest the number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from jobs.runner.rules import Finding, Rule, finding

MOST = 1000  # of a rule; a file of another kind would have one on every line


class Found:
    """Bounded, whatever is wrong and however often."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: dict[str, list[Finding]] = {}
        self._count: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many there are, those that are not kept among them."""
        return self._count.total()

    @property
    def errors(self) -> int:
        return sum(self._count[id] for id, some in self._found.items() if _grave(some[0]))

    def add(self, rule: Rule, line: int, what: str) -> None:
        self._count[rule.id] += 1
        if self._count[rule.id] <= MOST:
            self._found.setdefault(rule.id, []).append(finding(rule, self.path, line, what))

    def add_all(self, rule: Rule, lines: Sequence[int], what: str) -> None:
        """The same of many lines."""
        room = max(MOST - self._count[rule.id], 0)
        for line in lines[:room]:
            self.add(rule, line, what)
        self._count[rule.id] += len(lines[room:])

    def all(self) -> tuple[Finding, ...]:
        return tuple(one for some in self._found.values() for one in (*some, *self._rest(some[0])))

    def _rest(self, first: Finding) -> tuple[Finding, ...]:
        more = self._count[first.rule.id] - MOST
        if more <= 0:
            return ()
        rest = finding(first.rule, self.path, 0, f"has {more:,} more like these")
        return (replace(rest, more=more),)


def _grave(one: Finding) -> bool:
    return one.severity == "error"
