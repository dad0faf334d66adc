"""Alike: examples held against all others, which can be done by another process."""

from collections.abc import Iterator

from jobs.runner.encoded import Encoded, encoded
from jobs.runner.findings.near import Near, Sources
from jobs.runner.findings.repeats import Repeats
from jobs.runner.rows import Rows
from jobs.runner.rules import Finding


class Alike:
    """`one_context`: texts that ask different things of one context are no repeats."""

    def __init__(self, one_context: bool, instructions: str | None) -> None:
        self._instructions = instructions
        self._near, self._repeats = Near(same_answer=one_context), Repeats()

    def take(self, rows: Rows) -> None:
        self.compare(encoded(rows))

    def compare(self, texts: Encoded) -> None:
        self._near.compare(texts)
        self._repeats.compare(texts)

    def findings(self, sources: Sources) -> Iterator[Finding]:
        """In the end; some of what was read is read again."""
        yield from self._repeats.findings()
        yield from self._near.findings(sources, self._instructions)
