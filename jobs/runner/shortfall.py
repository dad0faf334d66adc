"""Shortfall: why what was tuned as a spec asks for is not what was hoped for; pure.

below its mark             it is not served, and a plan has nothing to do about it
worse than its base model  it is served, for the spec sets no mark
"""

from collections.abc import Iterable, Mapping

from jobs.runner.ledger import Recorded, Score, Summary
from jobs.runner.plan import Desired

ADVICE = "mend its data or its tuning, or set evaluation.at_least"


def shortfalls(
    names: Iterable[str], desired: Mapping[str, Desired], recorded: Mapping[str, Recorded]
) -> dict[str, str]:
    """By name, of those that need nothing done."""
    found = {name: _of(desired[name], recorded.get(name, Recorded())) for name in names}
    return {name: why for name, why in found.items() if why}


def asked_for(wanted: Desired, entry: Summary) -> bool:
    """Whether an entry is the tuning that a spec asks for, or is pinned to."""
    return entry.fingerprint.startswith(wanted.pin or wanted.fingerprint)


def worse(score: Score | None, at_least: float | None) -> str | None:
    """That it scores less than its base model, where no mark says what is enough."""
    if score is None or at_least is not None or score.tuned >= score.base:
        return None
    return (
        f"scores {score.tuned:.3f} by {score.metric}, less than its base model's {score.base:.3f}"
    )


def _of(wanted: Desired, record: Recorded) -> str | None:
    tuned = (one for one in record.entries.values() if one.state == "succeeded")
    entry = next((one for one in tuned if asked_for(wanted, one)), None)
    if entry is None or entry.fingerprint == record.instead_of:
        return None
    if not entry.passes(wanted.at_least):
        return _below(wanted, entry, record)
    why = worse(entry.score, wanted.at_least)
    return f"{why}; it is served, for its spec sets no mark: {ADVICE}" if why else None


def _below(wanted: Desired, entry: Summary, record: Recorded) -> str:
    score, mark = entry.score, f"its mark of {wanted.at_least:g}"
    found = f"reached {score.tuned:.3f} by {score.metric}" if score else "was not scored"
    if record.active == entry.fingerprint:
        return f"{found}, below {mark}; it is served all the same, as a person asked for"
    before = "; what was served before still is" if record.served else ""
    return f"{found}, below {mark}: it is not served{before}"
