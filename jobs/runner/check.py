"""Check: everything there is to say about one spec and its data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from jobs.runner import rules
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import Dataset
from jobs.runner.findings import settings
from jobs.runner.findings.alike import Alike
from jobs.runner.findings.answers import Extracts, Summaries
from jobs.runner.findings.forms import Forms
from jobs.runner.findings.labels import Labels
from jobs.runner.findings.lengths import Lengths
from jobs.runner.findings.near import Sources
from jobs.runner.findings.people import People
from jobs.runner.findings.prompts import Prompts
from jobs.runner.findings.rare import Rare
from jobs.runner.findings.scripts import Scripts
from jobs.runner.findings.secrets import Secrets
from jobs.runner.findings.settings import at
from jobs.runner.findings.sizes import sizes
from jobs.runner.findings.systems import Systems
from jobs.runner.findings.texts import Endings, Texts
from jobs.runner.rows import Watch
from jobs.runner.rules import Finding
from jobs.runner.spec import Spec, SpecFile, Task


class Examination:
    """Those who look at every example while it is read, as the task of a spec asks for.

    Without `alike`, which holds each against all others, where another process does that.
    """

    def __init__(self, spec: Spec, alike: bool = True) -> None:
        self._alike = compared(spec) if alike else None
        self._others: list[_Looks] = [
            Forms(),
            Systems(),
            Prompts(),
            Lengths(),
            Rare(Texts(), Secrets(), People()),
            Scripts(),
            *_FOR_TASKS[spec.task](),
        ]

    @property
    def watches(self) -> Sequence[Watch]:
        return (*([self._alike] if self._alike else []), *self._others)

    def findings(self, sources: Sources) -> Iterator[Finding]:
        for one in self._others:
            yield from one.findings()
        if self._alike:
            yield from self._alike.findings(sources)


def compared(spec: Spec) -> Alike:
    return Alike(spec.task in ("classification", "extractive_qa"), spec.instructions)


class _Looks(Watch, Protocol):
    """A watch that has something to say in the end."""

    def findings(self) -> Iterator[Finding]: ...


_FOR_TASKS: Mapping[Task, Callable[[], list[_Looks]]] = {
    "classification": lambda: [Labels()],
    "extractive_qa": lambda: [Extracts()],
    "summarization": lambda: [Summaries(), Endings()],
    "chat": lambda: [Endings()],
}


def findings(
    file: SpecFile,
    dataset: Dataset,
    facts: BaseModelFacts | None,
    region: str,
    today: date,
    simulated: bool = False,
    examined: Iterable[Finding] = (),
) -> list[Finding]:
    """The data's faults first, then the rest; what the spec ignores carries its reason."""
    found = [*dataset.findings]
    if facts is not None:
        found += settings.base_model(file, facts, region, today, simulated)
        found += sizes(dataset, facts)
    found += settings.unscored(file, dataset)
    found += examined
    if "train" in dataset.splits and dataset.train.examples:
        found += settings.advice(file, dataset)
    return [*_ignored(file, found)]


def _ignored(file: SpecFile, found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those to be ignored with the reason, and what was ignored for nothing."""
    reasons = {entry.id: entry.reason for entry in file.spec.check.ignore}
    met, broken = set(), False
    for one in found:
        met.add(one.rule.id)
        broken |= one.severity == "error"
        reason = reasons.get(one.rule.id) if one.severity != "error" else None
        yield replace(one, ignored=reason) if reason else one
    for id in reasons:
        if id not in met and not broken:  # behind an error not everything was looked for
            yield at(file, rules.IDLE_IGNORE, "check.ignore", f"names {id}, which is not found")
