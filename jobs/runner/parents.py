"""Parents: a tuning that goes on from another's model comes after it, or not at all; pure."""

from collections.abc import Mapping
from dataclasses import replace

from jobs.runner.entry import Recorded
from jobs.runner.plan import Action, Change, Desired


def after_parents(
    changes: list[Change], desired: Mapping[str, Desired], recorded: Mapping[str, Recorded]
) -> list[Change]:
    """What goes on from another tuning has it, waits for it, or is blocked as it is."""
    by_name = {change.name: change for change in changes}
    placed: dict[str, Change] = {}

    def place(change: Change) -> Change:
        wanted = change.desired
        if change.name not in placed:
            on = wanted.continues if wanted and change.action.tunes else None
            before = by_name.get(on) if on else None
            parent = place(before) if before else None
            placed[change.name] = _on(change, on, parent, desired, recorded) if on else change
        return placed[change.name]

    return [place(change) for change in changes]


def _on(
    change: Change,
    name: str,
    parent: Change | None,
    desired: Mapping[str, Desired],
    recorded: Mapping[str, Recorded],
) -> Change:
    assert change.desired is not None
    fingerprint = str(change.desired.inputs.get("continues"))
    found = [
        entry
        for record in recorded.values()
        if (entry := record.entries.get(fingerprint)) and entry.state == "succeeded"
    ]
    mark = desired[name].at_least if name in desired else None
    if any(entry.passes(mark) for entry in found):
        return replace(change, parent=next(entry for entry in found if entry.passes(mark)))
    pin = desired[name].pin if name in desired else None
    if parent is not None and parent.action is not Action.BLOCKED and not pin:
        reason = f"goes on from {name}, which is tuned first"
        return replace(change, action=Action.WAIT, reason=reason, then=change.action)
    reason = f"goes on from {name}, which is blocked: {_why(parent, pin, bool(found))}"
    return replace(change, action=Action.BLOCKED, reason=reason)


def _why(parent: Change | None, pin: str | None, tuned: bool) -> str:
    if pin and not tuned:
        return f"pinned to {pin}, what its spec asks for is not tuned; take the pin out"
    if parent:
        return parent.reason
    if tuned:
        return "is below its mark"
    return "is not to be tuned here"
