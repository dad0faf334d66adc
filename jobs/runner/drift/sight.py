"""Sight: all that drift compares, read once; resources go by their names without the project.

The service writes projects as numbers in some names and as ids in others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from jobs.runner import identity
from jobs.runner.entry import Entry, Recorded, Summary

if TYPE_CHECKING:
    from jobs.runner.catalog import BaseModelFacts
    from jobs.runner.registry import Endpoint, Model
    from jobs.runner.vertex import Job


def key(name: str | None) -> str:
    """A resource's name from its location on."""
    return (name or "").partition("/locations/")[2]


@dataclass(frozen=True)
class Sight:
    """`bodies` has of each entry what its object holds, or why that cannot be read."""

    stack: str
    bucket: str
    now: datetime
    wanted: Mapping[str, str]  # a name -> the fingerprint that its spec asks for
    recorded: Mapping[str, Recorded]
    bodies: Mapping[tuple[str, str], Entry | str]
    junk: tuple[str, ...]
    jobs: Mapping[str, Job]
    models: Mapping[str, Model]  # with their versions
    endpoints: Mapping[str, Endpoint]
    base_models: Mapping[str, BaseModelFacts]

    @property
    def today(self) -> date:
        return self.now.date()

    def entries(self) -> Iterator[tuple[Summary, bool]]:
        """Each entry, and whether it is served."""
        for _, record in sorted(self.recorded.items()):
            for fingerprint, entry in sorted(record.entries.items()):
                yield entry, record.active == fingerprint

    def asked(self, name: str, fingerprint: str) -> bool:
        """Whether a spec asks for a tuning; of its fingerprint the label's part may do."""
        wanted = self.wanted.get(name)
        return wanted is not None and identity.label(wanted) == identity.label(fingerprint)

    def url(self, name: str, entry: str) -> str:
        return f"gs://{self.bucket}/ledger/{name}/{entry}.json"
