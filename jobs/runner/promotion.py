"""Promotion: what the stack before this one has of the same tunings, and what it never passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jobs.runner.diff import turn
from jobs.runner.entry import Recorded, Summary
from jobs.runner.errors import NotProvisioned, RemoteError, VertuneError
from jobs.runner.ledger import Ledger
from jobs.runner.plan import Action, Change, Plan
from jobs.runner.report import score_text
from jobs.runner.stack import Settings


@dataclass(frozen=True)
class Earlier:
    """The stack that comes first, and its ledger."""

    stack: str
    recorded: Mapping[str, Recorded]
    apart: str | None = None  # why nothing of it can be copied here

    @classmethod
    def read(cls, stack: str, ledger: Ledger, here: str, apart: str | None = None) -> Earlier:
        """`here` is the stack that promotes. Raises VertuneError, with the setting that grants."""
        try:
            return cls(stack, ledger.recorded(), apart)
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
        """The plan with what each copy is of, and how what costs fared there before."""
        changes = map(self._noted, map(self._copied, plan.changes))
        return replace(plan, changes=tuple(sorted(changes, key=turn)))

    def unproven(self, plan: Plan) -> Iterator[str]:
        """Why each promotion is not to be made yet; nothing for those that passed."""
        for change in plan.changes:
            promotes = change.costs or change.action is Action.COPY
            if promotes and (why := self._why_not(change)):
                yield f"{change.name} {why}"

    def _copied(self, change: Change) -> Change:
        """A copy with its source, or blocked: what is not there cannot be allowed by name."""
        if change.action is not Action.COPY:
            return change
        if why := self.apart or self._absent(change):
            how = "`promotion: retune` tunes it here"
            reason = f"is to be copied from {self.stack}, and {why}; {how}"
            return replace(change, action=Action.BLOCKED, reason=reason)
        entry = self._entry(change)
        reason = (
            f"copies {entry.tuned_model} of {self.stack}, {score_text(entry.score)}; no new job"
        )
        return replace(change, reason=reason, source=entry)

    def _noted(self, change: Change) -> Change:
        wanted = change.desired
        if wanted is None or not change.costs:
            return change
        noted = (*wanted.estimate.notes, self._why_not(change) or self._passed(change))
        return replace(
            change, desired=replace(wanted, estimate=replace(wanted.estimate, notes=noted))
        )

    def _passed(self, change: Change) -> str:
        return f"the same tuning in {self.stack}: {score_text(self._entry(change).score)}"

    def _entry(self, change: Change) -> Summary:
        """By the same fingerprint: the data and the settings are the same, to the byte."""
        return self.recorded[change.name].entries[change.fingerprint]

    def _why_not(self, change: Change) -> str | None:
        return self._absent(change) or self._below(change)

    def _absent(self, change: Change) -> str | None:
        entry = self.recorded.get(change.name, Recorded()).entries.get(change.fingerprint)
        if entry is None:
            return f"was never tuned like this in {self.stack}"
        if entry.state != "succeeded":
            return f"has not succeeded in {self.stack}: it is {entry.state} there"
        return None

    def _below(self, change: Change) -> str | None:
        score = self._entry(change).score
        mark = change.desired.at_least if change.desired else None
        if mark is not None and (score is None or score.tuned < mark):
            return f"did not reach {mark:g} in {self.stack}: {score_text(score)}"
        return None


def apart(there: Settings, here: Settings) -> str | None:
    """Why no tuned model of one stack can be copied to the other, if so."""
    if there.emulator != here.emulator:
        return "one of the two stacks is the emulator's"
    if there.project != here.project:
        return (
            f"a model is copied within one project: that stack's is {there.project}, this one's"
            f" is {here.project}"
        )
    return None
