"""Promotion: what the stack before this one has of the same tunings, and what it never passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jobs.runner.errors import NotProvisioned, RemoteError, VertuneError
from jobs.runner.ledger import Ledger, Recorded
from jobs.runner.plan import Change, Plan
from jobs.runner.report import score_text


@dataclass(frozen=True)
class Earlier:
    """The stack that comes first, and its ledger."""

    stack: str
    recorded: Mapping[str, Recorded]

    @classmethod
    def read(cls, stack: str, ledger: Ledger, here: str) -> Earlier:
        """`here` is the stack that promotes. Raises VertuneError, with the setting that grants."""
        try:
            return cls(stack, ledger.recorded())
        except NotProvisioned as error:
            why = f"stack {here} promotes from {stack} (vertune:promotesFrom)"
            raise VertuneError(f"{why}, which is to be provisioned first: {error}") from error
        except RemoteError as error:
            if error.status != 403:
                raise
            raise VertuneError(
                f"{error}\nstack {here} promotes from {stack} (vertune:promotesFrom): whoever plans"
                f" or applies {here} must be named by vertune:ledgerReaders of stack {stack}"
            ) from error

    def noted(self, plan: Plan) -> Plan:
        """The plan with a note on every change that costs: how the same tuning fared there."""
        return replace(plan, changes=tuple(map(self._noted, plan.changes)))

    def unproven(self, plan: Plan) -> Iterator[str]:
        """Why each change that costs is not to be made yet; nothing for those that passed."""
        for change in plan.changes:
            if change.costs and (why := self._why_not(change)):
                yield f"{change.name} {why}"

    def _noted(self, change: Change) -> Change:
        wanted = change.desired
        if wanted is None or not change.costs:
            return change
        noted = (*wanted.estimate.notes, self._why_not(change) or self._passed(change))
        return replace(
            change, desired=replace(wanted, estimate=replace(wanted.estimate, notes=noted))
        )

    def _passed(self, change: Change) -> str:
        entry = self.recorded[change.name].entries[change.fingerprint]
        return f"the same tuning in {self.stack}: {score_text(entry.score)}"

    def _why_not(self, change: Change) -> str | None:
        """By the same fingerprint: the data and the settings are the same, to the byte."""
        record = self.recorded.get(change.name, Recorded())
        entry = record.entries.get(change.fingerprint)
        if entry is None:
            return f"was never tuned like this in {self.stack}"
        if entry.state != "succeeded":
            return f"has not succeeded in {self.stack}: it is {entry.state} there"
        mark = change.desired.at_least if change.desired else None
        if mark is not None and (entry.score is None or entry.score.tuned < mark):
            return f"did not reach {mark:g} in {self.stack}: {score_text(entry.score)}"
        return None
