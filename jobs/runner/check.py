"""Check: everything there is to say about one spec and its data."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from jobs.runner import rules
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import Dataset
from jobs.runner.findings import settings
from jobs.runner.findings.repeats import repeats
from jobs.runner.findings.settings import at
from jobs.runner.findings.sizes import sizes
from jobs.runner.rules import Finding
from jobs.runner.spec import SpecFile


def findings(
    file: SpecFile,
    dataset: Dataset,
    facts: BaseModelFacts | None,
    region: str,
    today: date,
    simulated: bool = False,
) -> list[Finding]:
    """The data's faults first, then the rest; what the spec ignores carries its reason."""
    found = [*dataset.findings]
    if facts is not None:
        found += settings.base_model(file, facts, region, today, simulated)
        found += sizes(dataset, facts)
    found += settings.unscored(file, dataset)
    if "train" in dataset.splits and dataset.train.examples:
        found += repeats(dataset)
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
