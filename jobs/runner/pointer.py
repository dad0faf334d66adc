"""Pointer: which tuned model is served under a name, in the ledger and as the registry's alias.

The ledger decides and is written first; the alias tells others and follows. What something cut
off between the two is finished by the same command once more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jobs.runner.document import did_you_mean
from jobs.runner.errors import VertuneError
from jobs.runner.ledger import Ledger, Recorded, Summary
from jobs.runner.registry import Registry

ALIAS = "vertune-served"
BELOW_MARK = "--below-mark"
_BEGINS = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True)
class Move:
    """`entry` is to be served instead of `before`; a rollback takes `instead_of` back."""

    entry: Summary
    before: str | None
    instead_of: str | None

    @property
    def stands(self) -> bool:
        """Whether the ledger says so already, and at most the alias is to follow."""
        return self.entry.fingerprint == self.before


def promotion(
    recorded: Mapping[str, Recorded], name: str, begins: str | None, mark: float | None
) -> Move:
    """To the tuning whose fingerprint begins so, by default to the newest; ends a rollback."""
    record = _record(recorded, name)
    entry = _found(name, record, begins) if begins else _newest(name, record)
    if entry.fingerprint == record.active:
        return Move(entry, record.active, record.instead_of)
    _hold(entry, mark)
    return Move(entry, record.active, None)


def rollback(
    recorded: Mapping[str, Recorded], name: str, begins: str | None, mark: float | None
) -> Move:
    """To the tuning whose fingerprint begins so, by default to the newest before the served one.

    By default a rollback that stands is not gone beyond: the same command twice is one step.
    """
    record = _record(recorded, name)
    served = record.served
    if served is None:
        raise VertuneError(f"nothing is served as {name}; see `vertune promote {name}`")
    entry = _found(name, record, begins) if begins else _before(name, record, served, mark)
    if entry.fingerprint == served.fingerprint:
        return Move(served, record.active, record.instead_of)
    _hold(entry, mark)
    return Move(entry, record.active, record.instead_of or record.active)


def carry_out(
    move: Move, recorded: Mapping[str, Recorded], ledger: Ledger, registry: Registry
) -> None:
    """Serve it, if its tuned model is still there; then the alias follows."""
    entry = move.entry

    def there() -> bool:
        return registry.model(entry.tuned_model or "") is not None

    if not there():
        raise VertuneError(
            f"{entry.tuned_model} is gone from the registry: {entry.name} cannot be served by it;"
            f" see `vertune status`"
        )
    if not move.stands:
        ledger.activate(entry.name, entry.fingerprint, move.instead_of, there=there)
    of_name = Recorded(recorded[entry.name].entries, entry.fingerprint)
    follow(ledger, registry, {**recorded, entry.name: of_name}, entry.name)


def follow(ledger: Ledger, registry: Registry, recorded: Mapping[str, Recorded], name: str) -> None:
    """Put the alias on what a name serves, take it from all else that was tuned, and note it."""
    record = recorded[name]
    serves = served(recorded)
    known = {one.tuned_model for one in _succeeded(record) if one.tuned_model}
    if record.served and record.served.tuned_model:
        _give(registry, record.served.tuned_model)
    for tuned_model in sorted(known - serves):
        _take(registry, tuned_model)
    if record.active:
        ledger.aliased(name, record.active)


def retire(
    registry: Registry, recorded: Mapping[str, Recorded], name: str, goes_on: Collection[str]
) -> None:
    """Take the alias from what a name serves, unless that goes on to be served under another."""
    entry = recorded[name].served
    if entry and entry.tuned_model and entry.tuned_model not in goes_on:
        _take(registry, entry.tuned_model)


def served(recorded: Mapping[str, Recorded]) -> set[str]:
    """The tuned models that are served, under any name."""
    found = (record.served for record in recorded.values())
    return {entry.tuned_model for entry in found if entry and entry.tuned_model}


def left_behind(before: Mapping[str, Recorded], now: Mapping[str, Recorded]) -> list[str]:
    """The names whose alias is to follow: what they serve is new, or they serve nothing more."""
    return sorted(
        name
        for name, record in now.items()
        if (record.active and not record.aliased)
        or (not record.active and name in before and before[name].active)
    )


def _give(registry: Registry, tuned_model: str) -> None:
    if model := registry.model(tuned_model):
        registry.give(model, ALIAS)


def _take(registry: Registry, tuned_model: str) -> None:
    if model := registry.model(tuned_model):
        registry.take(model, ALIAS)


def _record(recorded: Mapping[str, Recorded], name: str) -> Recorded:
    if name not in recorded:
        raise VertuneError(f"nothing is recorded as {name}{did_you_mean(name, recorded)}")
    return recorded[name]


def _succeeded(record: Recorded) -> list[Summary]:
    """Newest first."""
    found = [entry for entry in record.entries.values() if entry.state == "succeeded"]
    return sorted(found, key=_age, reverse=True)


def _age(entry: Summary) -> tuple[str, str]:
    return entry.created, entry.fingerprint


def _newest(name: str, record: Recorded) -> Summary:
    if found := _succeeded(record):
        return found[0]
    raise VertuneError(f"nothing that was tuned is recorded as {name}; see `vertune status`")


def _before(name: str, record: Recorded, served: Summary, mark: float | None) -> Summary:
    if record.instead_of:
        return served
    for entry in _succeeded(record):
        if _age(entry) < _age(served) and entry.passes(mark):
            return entry
    raise VertuneError(f"nothing older than what is served is recorded as {name}; nothing was done")


def _found(name: str, record: Recorded, begins: str) -> Summary:
    if not _BEGINS.fullmatch(begins):
        raise VertuneError(f"{begins} is no fingerprint's beginning; give 6 or more hex digits")
    found = [entry for key, entry in record.entries.items() if key.startswith(begins)]
    if len(found) != 1:
        known = ", ".join(entry.fingerprint[:12] for entry in _succeeded(record)) or "none"
        how = "no fingerprint" if not found else f"{len(found)} fingerprints"
        raise VertuneError(f"{how} of {name} begins with {begins}; tuned are: {known}")
    if found[0].state != "succeeded":
        raise VertuneError(f"{begins} of {name} is {found[0].state}: there is nothing to serve")
    return found[0]


def _hold(entry: Summary, mark: float | None) -> None:
    if not entry.passes(mark):
        reached = f"reached {entry.score.tuned:.3f}" if entry.score else "was not scored"
        raise VertuneError(
            f"{entry.fingerprint[:12]} of {entry.name} {reached}, below its mark of {mark:g};"
            f" to serve it all the same: {BELOW_MARK}"
        )
