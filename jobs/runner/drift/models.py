"""Tuned models: gone, undeployed, labelled or aliased otherwise, unknown, or near their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobs.runner.catalog import NOTICE
from jobs.runner.drift.difference import Difference, Kind
from jobs.runner.drift.jobs import unknown as unknown_jobs
from jobs.runner.drift.sight import Sight, key
from jobs.runner.entry import Summary
from jobs.runner.identity import SPEC, STACK
from jobs.runner.pointer import ALIAS

if TYPE_CHECKING:
    from jobs.runner.registry import Model

_OURS = "vertune-"


def of_models(seen: Sight) -> Iterator[Difference]:
    for entry, served in seen.entries():
        if entry.state != "succeeded" or not entry.tuned_model:
            continue
        model = seen.models.get(key(entry.tuned_model))
        if model is None:
            yield _missing(seen, entry, served)
        else:
            yield from _labels(seen, entry, model)
            yield from _endpoint(seen, entry, served)
        if served:
            yield from _base_model(seen, entry)
    yield from _unknown(seen)
    yield from _aliases(seen)


def _missing(seen: Sight, entry: Summary, served: bool) -> Difference:
    return Difference(
        Kind.MODEL_MISSING,
        entry.name,
        str(entry.tuned_model),
        "is not in the registry",
        _unserved(served),
        _again(seen, entry, served),
    )


def _unserved(served: bool) -> str:
    return "predictions fail" if served else "going back to this tuning would serve nothing"


def _again(seen: Sight, entry: Summary, served: bool) -> str:
    if seen.asked(entry.name, entry.fingerprint):
        how = "copies it again" if entry.copied else "tunes it again, which is paid for"
        return f"`vertune apply --retry {entry.name}` {how}"
    if served:
        return f"`vertune promote {entry.name} FINGERPRINT` serves another tuning of it"
    url = seen.url(entry.name, entry.fingerprint)
    return f"remove {url}: no spec asks for it, and it would be tuned again if one did"


def _endpoint(seen: Sight, entry: Summary, served: bool) -> Iterator[Difference]:
    if not entry.endpoint:
        return
    endpoint = seen.endpoints.get(key(entry.endpoint))
    means = _unserved(served)
    if endpoint is None:
        advice = _again(seen, entry, served)
        what = f"is gone; {entry.tuned_model} was deployed to it"
        yield Difference(Kind.ENDPOINT_MISSING, entry.name, entry.endpoint, what, means, advice)
    elif key(entry.tuned_model) not in map(key, endpoint.deployed.values()):
        there = ", ".join(endpoint.deployed.values()) or "nothing"
        what = f"serves {there}, not {entry.tuned_model}"
        advice = "deploy the tuned model to this endpoint again, in the console or with gcloud"
        yield Difference(Kind.UNDEPLOYED, entry.name, entry.endpoint, what, means, advice)


def _labels(seen: Sight, entry: Summary, model: Model) -> Iterator[Difference]:
    """The service gives a tuned model the labels of its job, which nobody can change."""
    job = seen.jobs.get(key(entry.job))
    if job is None:
        return
    was = {name: value for name, value in job.labels.items() if name.startswith(_OURS)}
    is_ = {name: value for name, value in model.labels.items() if name.startswith(_OURS)}
    changed = sorted(k for k in {*was, *is_} if was.get(k) != is_.get(k))
    if changed:
        yield Difference(
            Kind.LABELS,
            entry.name,
            model.name,
            f"has other labels than its job: {', '.join(changed)}",
            "it is not found as this stack's in the registry",
            f"set them again: {', '.join(f'{k}={was[k]}' for k in changed if k in was)}"
            if any(k in was for k in changed)
            else f"remove them: {', '.join(changed)}",
        )


# What nothing records


def _unknown(seen: Sight) -> Iterator[Difference]:
    known = {_id(entry.tuned_model) for entry, _ in seen.entries()}
    known |= {_id(job.tuned_model) for job in unknown_jobs(seen)}  # told of beside their jobs
    for _, model in sorted(seen.models.items()):
        if model.labels.get(STACK) != seen.stack or _id(model.name) in known:
            continue
        whose = model.labels.get(SPEC, "")
        yield Difference(
            Kind.MODEL_UNKNOWN,
            whose,
            model.name,
            "has this stack's labels, and the ledger knows nothing of it",
            "a tuned model that is paid for is not used",
            f"`vertune import {whose or 'NAME'} --model {model.name}` adopts it, or delete it",
        )


def _id(name: str | None) -> str:
    """Whatever the version."""
    return key(name).partition("@")[0]


def _aliases(seen: Sight) -> Iterator[Difference]:
    """On a model of ours that is not served, or not on one that is."""
    served = {key(entry.tuned_model): entry.name for entry, is_ in seen.entries() if is_}
    names = {_id(entry.tuned_model): entry.name for entry, _ in seen.entries()}
    serving = {*served.values()}
    for name, model in sorted(seen.models.items()):
        marked = ALIAS in model.aliases
        if marked and name not in served and _id(model.name) in names:
            name = names[_id(model.name)]
            yield _alias(model, name, "stands on it, and it is not served", name in serving)
        elif not marked and name in served:
            yield _alias(model, served[name], "does not stand on it, and it is served", True)


def _alias(model: Model, name: str, what: str, serves: bool) -> Difference:
    """`serves` is whether anything is served under this name."""
    promote = f"`vertune promote {name} FINGERPRINT`, of what is served, moves it back"
    remove = f"remove it in the console or with gcloud: nothing is served as {name}"
    return Difference(
        Kind.ALIAS,
        name,
        model.name,
        f"the alias {ALIAS} {what}",
        "who asks the registry by the alias gets another tuned model than the outputs name",
        promote if serves else remove,
    )


# The end of a base model


def _base_model(seen: Sight, entry: Summary) -> Iterator[Difference]:
    name = str(entry.inputs.get("base_model"))
    facts = seen.base_models.get(name)
    if facts is None or entry.stand_in or facts.retires - seen.today > NOTICE:
        return
    if facts.retired(seen.today):
        kind, what = Kind.RETIRED, f"{name} was retired on {facts.retires}"
        means = "what was tuned from it is served no longer"
    else:
        kind, what = Kind.RETIRING, f"{name} retires on {facts.retires}"
        means = "what was tuned from it is served no longer then; in its last month it is not tuned"
    advice = "tune on another base model; `vertune models` lists them"
    yield Difference(kind, entry.name, str(entry.tuned_model), what, means, advice)
