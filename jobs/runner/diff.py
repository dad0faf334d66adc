"""Diff: what is to be done so that what is recorded becomes what is desired; pure.

desired | recorded                         | change
--------|----------------------------------|------------
a1      | -                                | + submit
any     | a1 in flight                     | > resume     adopt and finish what was started first
a1      | a1 succeeded, not scored by the  | > resume     evaluate it, then serve it if it may be
        |    metric the spec asks for      |
a1      | a1 served                        |   (none)
a1      | a1 failed or cancelled           | ! blocked    a retry costs money: a person asks for it
a1      | a1 failed, and a person asks     | + submit
a1      | a1 succeeded, below the mark     |   (none)     it is not served; status says so
a1      | -, refused by a guard            | ! blocked    a person mends it, or allows it by name
a1      | -, and its spec says to copy     | ^ copy       of the stack before, which has tuned it
a1      | a2 served by a rollback from a1  |   (none)     until the spec asks for another one
pinned  | a1 succeeded                     | = reuse      nothing is ever tuned for a pin
pinned  | -                                | ! blocked
a2      | a1 finished                      | ~ retrain
a1      | a2 served, a1 succeeded before   | = reuse      points back, no new job
b: a1   | a: a1 succeeded                  | = reuse      another name for the same tuning
b: a1   | a: a1 succeeded, not scored by   | = reuse      then resume: served once it is scored
        |    the metric that b has a mark of |
b: a1   | a: a1 succeeded, below the mark  | = reuse      recorded under b too, and not served
        |    of b                          |
b: a1   | a: a2 served by a rollback from  | = reuse      the rollback goes on under b
        |    a1, and a has no spec now     |
b: a1   | a: a1 in flight, or submitted by | … wait       it is reused once a has it
        |    this plan                     |
b: a1   | a: a1 failed, cancelled, or      | ! blocked
        |    cannot be scored for b        |
b on a  | a not tuned yet                  | … wait       it goes on from the tuned model of a
b on a  | a blocked, or below its mark     | ! blocked
-       | a1 served                        | - forget     drops it from the outputs, deletes nothing
-       | a1 finished, not served          |   (none)
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from jobs.runner.ledger import Recorded, Summary
from jobs.runner.parents import after_parents
from jobs.runner.plan import Action, Change, Desired, Plan
from jobs.runner.reasons import differences

_IN_VAIN = ("failed", "cancelled")


def diff(
    desired: Mapping[str, Desired],
    recorded: Mapping[str, Recorded],
    retry: Collection[str] = (),
    allow: Collection[str] = (),
    others: Collection[str] = (),
) -> Plan:
    """What must be done; the same input gives the same plan, in an order that never varies.

    `retry` names those whose failed tuning a person asks for again, `allow` the guards of
    single specs that a person lifts, `others` the specs that there are and that are not looked at.
    """
    changes: list[Change] = []
    unchanged: list[str] = []
    gone = recorded.keys() - desired.keys() - {*others}
    back = _rolled_back({name: recorded[name] for name in gone})
    for name in sorted({*desired, *recorded}):
        wanted = allowed(desired[name], allow) if name in desired else None
        record = recorded.get(name, Recorded())
        found = _renamed(wanted, record, back)
        found = found or _of(wanted, record, name, recorded, name in retry)
        if found is not None:
            changes.append(found)
        elif name in desired:
            unchanged.append(name)
    changes = after_parents(list(_each_tuning_once(changes)), desired, recorded)
    return Plan(tuple(sorted(changes, key=turn)), tuple(unchanged))


def allowed(wanted: Desired, allow: Collection[str]) -> Desired:
    """The same without the guards that a person lifts."""
    left = {guard: why for guard, why in wanted.refusals.items() if guard not in allow}
    return replace(wanted, refusals=left)


def turn(change: Change) -> tuple[int, int, int, int, str]:
    """By action; what tunes by priority, then the smallest first, whose result is there soonest."""
    order = list(Action).index(change.action)
    wanted = change.desired if change.action.tunes else None
    if wanted is None:
        return order, 0, order, 0, change.name
    first = list(Action).index(Action.SUBMIT)
    size = wanted.estimate.billable_tokens or wanted.estimate.tokens
    return first, -wanted.priority, order, size, change.name


def _each_tuning_once(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, by name; of two names that want the same tuning the second one waits."""
    first: dict[str, str] = {}
    for change in changes:
        makes = change.action.tunes or change.action is Action.COPY
        if makes and first.setdefault(change.fingerprint, change.name) != change.name:
            yield _wait(change, first[change.fingerprint])
        else:
            yield change


def _wait(change: Change, other: str) -> Change:
    reason = f"{other} asks for the same tuning; it is tuned once and then reused"
    return replace(change, action=Action.WAIT, reason=reason, source=None, then=Action.REUSE)


def _of(
    wanted: Desired | None,
    record: Recorded,
    name: str,
    everything: Mapping[str, Recorded],
    retried: bool,
) -> Change | None:
    if started := _unfinished(wanted, record):
        reason = _why_resume(started)
        return Change(Action.RESUME, name, reason, started.fingerprint, wanted, started)
    if wanted is None:
        return _forget(record, name)
    if wanted.pin:
        return _pinned(wanted, wanted.pin, record, everything)
    own = record.entries.get(wanted.fingerprint)
    if own and own.state == "succeeded":
        return _known(wanted, own, record)
    best = _best(wanted, everything)
    if best is None or (retried and best.state in _IN_VAIN):
        return _new(wanted, record)
    return _blocked(wanted, own or best) if best.state in _IN_VAIN else _of_another(wanted, best)


def _rolled_back(gone: Mapping[str, Recorded]) -> dict[str, Summary]:
    """What is served in the place of each tuning that was taken back, by names without a spec."""
    return {
        record.instead_of: record.served
        for _, record in sorted(gone.items(), reverse=True)
        if record.instead_of and record.served
    }


def _renamed(
    wanted: Desired | None, record: Recorded, back: Mapping[str, Summary]
) -> Change | None:
    """What a person took back is not served because its spec has another name now."""
    served = back.get(wanted.fingerprint) if wanted and not wanted.pin else None
    if wanted is None or served is None or record.active:
        return None
    back_to, taken_back = served.fingerprint[:12], wanted.fingerprint[:12]
    reason = f"goes on from {served.name}, rolled back from {taken_back} to {back_to}; no new job"
    reused = Change(Action.REUSE, wanted.name, reason, served.fingerprint, wanted, served)
    return replace(reused, instead_of=wanted.fingerprint)


def _unfinished(wanted: Desired | None, record: Recorded) -> Summary | None:
    if started := [entry for _, entry in sorted(record.entries.items()) if entry.in_flight]:
        return started[0]
    entry = record.entries.get(wanted.fingerprint) if wanted and not wanted.pin else None
    return entry if wanted and entry and _unscored(wanted, entry) else None


def _unscored(wanted: Desired, entry: Summary) -> bool:
    """Whether it can be scored and is not, or by another metric than is asked for now."""
    if wanted.metric is None or entry.state != "succeeded" or entry.endpoint is None:
        return False
    return entry.score is None or entry.score.metric != wanted.metric


def _why_resume(entry: Summary) -> str:
    if entry.score is not None:
        return f"scored by {entry.score.metric}, to be scored by another metric; no new job"
    if entry.state == "succeeded":
        return "tuned, not yet evaluated"
    if entry.state == "submitting":
        return "was being submitted; looked up before anything else"
    return "in flight"


def _forget(record: Recorded, name: str) -> Change | None:
    if record.active is None:
        return None
    reason = "no spec asks for it any more; nothing remote is deleted"
    return Change(Action.FORGET, name, reason, record.active)


def _known(wanted: Desired, entry: Summary, record: Recorded) -> Change | None:
    if wanted.fingerprint in (record.active, record.instead_of):
        return None
    if not entry.passes(wanted.at_least):
        return None
    reason = f"tuned on {(entry.finished or entry.created)[:10]} already; points back, no new job"
    return Change(Action.REUSE, wanted.name, reason, wanted.fingerprint, wanted, entry)


def _pinned(
    wanted: Desired, pin: str, record: Recorded, everything: Mapping[str, Recorded]
) -> Change | None:
    found = {
        entry.fingerprint: entry
        for _, one in sorted(everything.items())
        for entry in one.entries.values()
        if entry.state == "succeeded" and entry.fingerprint.startswith(pin)
    }
    if len(found) != 1:
        how = "no tuned model" if not found else f"{len(found)} tuned models"
        reason = f"pinned to {pin}, by which {how} is recorded; see `vertune status --history`"
        return Change(Action.BLOCKED, wanted.name, reason, wanted.fingerprint, wanted)
    (entry,) = found.values()
    pinned = replace(wanted, fingerprint=entry.fingerprint, inputs=entry.inputs)
    own = record.entries.get(entry.fingerprint)
    if own and own.state == "succeeded":
        return _known(pinned, own, record)
    return _of_another(pinned, entry)


def _blocked(wanted: Desired, entry: Summary) -> Change:
    whose = "" if entry.name == wanted.name else f" as {entry.name}"
    why = entry.error or "no reason given"
    reason = f"{entry.state}{whose}: {why}; ask with --retry {wanted.name}"
    return Change(Action.BLOCKED, wanted.name, reason, wanted.fingerprint, wanted, entry)


def _best(wanted: Desired, everything: Mapping[str, Recorded]) -> Summary | None:
    """The same tuning under any name: one that succeeded if there is, else one in flight."""
    found = [
        entry
        for _, record in sorted(everything.items())
        if (entry := record.entries.get(wanted.fingerprint))
    ]
    order = ("succeeded", "submitted", "submitting", *_IN_VAIN)
    return min(found, key=lambda entry: order.index(entry.state), default=None)


def _of_another(wanted: Desired, other: Summary) -> Change:
    if other.in_flight:
        reason = f"the same tuning is in flight as {other.name}; it is reused once it is done"
        then = Action.REUSE
        return Change(
            Action.WAIT, wanted.name, reason, wanted.fingerprint, wanted, other, None, then
        )
    if not reaches(wanted, other):
        if _unscored(wanted, other) and not wanted.pin:
            reason = f"the same tuning was done as {other.name}; to be scored here, no new job"
            return Change(Action.REUSE, wanted.name, reason, wanted.fingerprint, wanted, other)
        scored = f"{other.score.tuned:.3f} by {other.score.metric}" if other.score else "no score"
        reason = f"the same tuning was done as {other.name} and has {scored}, not the mark here"
        if other.score and other.score.metric == wanted.metric and not wanted.pin:
            reason += ": recorded and not served; no new job"
            return Change(Action.REUSE, wanted.name, reason, wanted.fingerprint, wanted, other)
        return Change(Action.BLOCKED, wanted.name, reason, wanted.fingerprint, wanted, other)
    reason = f"the same tuning was done as {other.name}; no new job"
    return Change(Action.REUSE, wanted.name, reason, wanted.fingerprint, wanted, other)


def reaches(wanted: Desired, other: Summary) -> bool:
    """Whether a tuning may be served for a spec: by the mark of it, in the metric of it."""
    if wanted.at_least is None:
        return True
    metric = other.score.metric if other.score else None
    return metric == wanted.metric and other.passes(wanted.at_least)


def _new(wanted: Desired, record: Recorded) -> Change:
    if wanted.refusals:
        lifts = " ".join(f"--allow {guard}" for guard in sorted(wanted.refusals))
        reason = f"{'; '.join(wanted.refusals.values())}; to tune it all the same: {lifts}"
        return Change(Action.BLOCKED, wanted.name, reason, wanted.fingerprint, wanted)
    if wanted.copies:
        reason = "the tuned model of the stack before is copied; no new job"
        return Change(Action.COPY, wanted.name, reason, wanted.fingerprint, wanted)
    previous = record.entries.get(wanted.fingerprint) or record.served or _latest(record)
    if previous is None:
        return Change(Action.SUBMIT, wanted.name, "new", wanted.fingerprint, wanted)
    if previous.fingerprint == wanted.fingerprint:
        reason = f"once more, as it was asked for; {previous.state} before"
        return Change(Action.SUBMIT, wanted.name, reason, wanted.fingerprint, wanted, previous)
    reason = "; ".join(differences(previous.inputs, wanted)) or "its inputs changed"
    return Change(Action.RETRAIN, wanted.name, reason, wanted.fingerprint, wanted, previous)


def _latest(record: Recorded) -> Summary | None:
    return max(
        record.entries.values(), key=lambda entry: (entry.created, entry.fingerprint), default=None
    )
