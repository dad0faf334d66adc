"""Answers: whether they are what the task asks for, measured against their prompts."""

from array import array
from collections import Counter
from collections.abc import Iterator

from jobs.runner import rules
from jobs.runner.findings.repeats import normal
from jobs.runner.found import Found
from jobs.runner.rows import Rows, SplitName
from jobs.runner.rules import Finding

_MOST_OF = 0.8  # of the context is nearly all of it
_COPIED_WORDS = 6
_PHRASE = 3  # times the same answer without a source: it stands for `no answer`


class Extracts:
    """Answers that are to be taken from the prompt."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}
        self._missing: dict[SplitName, tuple[array[int], array[int]]] = {}  # lines, answers
        self._times: Counter[int] = Counter()

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        lines, said = self._missing.setdefault(rows.split, (array("L"), array("q")))
        for line, prompt, answer in zip(rows.numbers, rows.prompts, rows.answers, strict=True):
            if answer not in prompt and _words(answer) not in _words(prompt):
                lines.append(line)
                said.append(hash(normal(answer)))
                self._times[said[-1]] += 1
            elif len(answer) > _MOST_OF * len(_context(prompt)):
                what = f"answers with {len(answer):,} of {len(_context(prompt)):,} characters"
                found.add(rules.WHOLE_CONTEXT, line, what)

    def findings(self) -> Iterator[Finding]:
        for split, found in self._found.items():
            for line, said in zip(*self._missing[split], strict=True):
                if self._times[said] < _PHRASE:
                    what = "has an answer that is not in its prompt"
                    found.add(rules.NOT_IN_CONTEXT, line, what)
            yield from found.all()


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _context(prompt: str) -> str:
    """What stands behind the field of that name; without one, all of the prompt."""
    _, field, context = prompt.partition("context:")
    return context.strip() if field else prompt


class Summaries:
    """Answers that are to be shorter than the prompt, in other words."""

    def __init__(self) -> None:
        self._found: dict[SplitName, Found] = {}

    def take(self, rows: Rows) -> None:
        found = self._found.setdefault(rows.split, Found(rows.shown))
        for line, prompt, answer in zip(rows.numbers, rows.prompts, rows.answers, strict=True):
            if len(answer) > len(prompt):
                what = f"sums up {len(prompt):,} characters in {len(answer):,}"
                found.add(rules.LONG_SUMMARY, line, what)
            elif answer.strip() in prompt and answer.count(" ") >= _COPIED_WORDS - 1:
                found.add(rules.COPIED_SUMMARY, line, "is copied from its prompt, word for word")

    def findings(self) -> Iterator[Finding]:
        for found in self._found.values():
            yield from found.all()
