"""Forms: several forms of examples in one split."""

from collections import Counter
from collections.abc import Iterator

from jobs.runner import rules
from jobs.runner.estimate import counted
from jobs.runner.forms import Form
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding, finding


class Forms:
    def __init__(self) -> None:
        self._shown: dict[SplitName, str] = {}
        self._count: dict[SplitName, Counter[Form]] = {}
        self._first: dict[tuple[SplitName, Form], int] = {}

    def take(self, rows: Rows) -> None:
        self._shown[rows.split] = rows.shown
        count = self._count.setdefault(rows.split, Counter())
        count.update(rows.forms)
        for form in {*rows.forms}:
            first = rows.numbers[rows.forms.index(form)]
            self._first.setdefault((rows.split, form), first)

    def findings(self) -> Iterator[Finding]:
        """The first line of each form but the most frequent one."""
        for split, count in self._count.items():
            (usual, _), *others = count.most_common()
            for form, number in others:
                what = (
                    f'is the first of {counted(number, "example")} with "{form}";'
                    f' most have "{usual}"'
                )
                yield finding(rules.FORMS, self._shown[split], self._first[split, form], what)
