"""Desired state: specs with their data read, their findings and their fingerprints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.runner import (
    attached,
    catalog,
    check,
    dataset,
    document,
    examined,
    guards,
    identity,
    rules,
)
from jobs.runner.catalog import NOTICE, BaseModelFacts
from jobs.runner.dataset import SPLITS, Dataset, NoDataset
from jobs.runner.estimate import Estimate, counted, estimate, usd
from jobs.runner.examined import Data
from jobs.runner.findings.settings import at
from jobs.runner.lines import Source
from jobs.runner.plan import Desired
from jobs.runner.price import price_of
from jobs.runner.rows import SplitName
from jobs.runner.rules import Finding
from jobs.runner.seen import Seen
from jobs.runner.spec import SpecFile
from jobs.runner.stack import Settings
from jobs.runner.storage import OpenBucket, doing, retry

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket

_NO_MORE_TUNING = timedelta(days=30)  # before a base model's retirement


@dataclass(frozen=True)
class Resolved:
    """A spec and all that was found out about it."""

    file: SpecFile
    dataset: Dataset
    facts: BaseModelFacts | None
    findings: tuple[Finding, ...]
    desired: Desired | None  # None where errors stand in the way

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")


def resolve(
    file: SpecFile,
    root: Path,
    settings: Settings,
    open_bucket: OpenBucket,
    today: date,
    *,
    examine: bool = False,
    seen: Seen | None = None,
) -> Resolved:
    """Read the spec's data and say what is wrong; with `examine` also what its examples say.

    What `seen` knows already is not read again.
    """
    known = catalog.load()
    facts = known.base_models.get(file.spec.base_model)
    found: list[Finding] = []
    if facts is None:
        why = known.unknown(file.spec.base_model)
        found.append(at(file, rules.UNKNOWN_BASE_MODEL, "base_model", why))
    data = Dataset({}, ())
    said: list[Finding] = []
    try:
        splits, reading = sources(file.spec.dataset, root, open_bucket)
    except NoDataset as error:
        found.append(at(file, rules.NO_DATASET, "dataset", str(error)))
    else:
        local = not file.spec.dataset.startswith("gs://")
        again = partial(dataset.local_sources, root, file.spec.dataset) if local else None
        with reading:
            if examine:
                data, said = examined.examined(file.spec, Data(splits, again), seen)
                said = [*said, *attached.findings(data, settings.bucket, open_bucket)]
            else:
                data = dataset.read(splits, file.spec.instructions, (), seen)
    found += check.findings(file, data, facts, settings.region, today, settings.emulator, said)
    ready = not any(f.severity == "error" for f in found)
    desired = _desired(file, data, facts, settings, today) if ready and facts else None
    return Resolved(file, data, facts, tuple(found), desired)


def revised(
    one: Resolved, tokens: int, basis: str, low: int | None = None, high: int | None = None
) -> Resolved:
    """With another number of tokens, as `basis` knows them, and the budget held against that."""
    if one.desired is None:
        return one
    cost = one.desired.estimate.revised(tokens, basis, low, high)
    others = {name: why for name, why in one.desired.refusals.items() if name != guards.BUDGET}
    over = None if one.desired.copies else _over_budget(one.file, cost)
    refusals = ({guards.BUDGET: over} if over else {}) | others
    return replace(one, desired=replace(one.desired, estimate=cost, refusals=refusals))


def linked(resolved: Sequence[Resolved]) -> list[Resolved]:
    """Each with the tuning it goes on from in its fingerprint; what cannot be is an error."""
    by_name = {one.file.name: one for one in resolved}
    done: dict[str, Resolved] = {}

    def link(one: Resolved, under: tuple[str, ...] = ()) -> Resolved:
        name, on = one.file.name, one.file.spec.tuning.continue_from
        if on is None or name in done:
            return done.get(name, one)
        if why := _no_parent(one, on, by_name, (*under, name)):
            problem = one.file.problem("tuning.continue_from", why)
            findings = (*one.findings, Finding(rules.SPEC, problem, rules.SPEC.severity))
            done[name] = replace(one, findings=findings, desired=None)
        else:
            done[name] = _continuing(one, link(by_name[on], (*under, name)))
        return done[name]

    return [link(one) for one in resolved]


def _no_parent(
    one: Resolved, on: str, by_name: Mapping[str, Resolved], under: tuple[str, ...]
) -> str | None:
    if on not in by_name:
        return f'no spec "{on}" is meant for this stack' + document.did_you_mean(on, by_name)
    if on in under:
        return f"goes round in a circle: {' → '.join((*under, on))}"
    base = by_name[on].file.spec.base_model
    if base != one.file.spec.base_model:
        return f"{on} is of another base model, {base}"
    return None


def _continuing(one: Resolved, parent: Resolved) -> Resolved:
    if one.desired is None or parent.desired is None:
        return replace(one, desired=None)
    inputs = {**one.desired.inputs, "continues": parent.desired.fingerprint}
    fingerprint = identity.fingerprint(inputs)
    name = parent.file.name
    desired = replace(one.desired, inputs=inputs, fingerprint=fingerprint, continues=name)
    return replace(one, desired=desired)


def _desired(
    file: SpecFile, data: Dataset, facts: BaseModelFacts, settings: Settings, today: date
) -> Desired:
    spec = file.spec
    inputs = identity.inputs(spec, data.digest)
    train = data.train
    price = price_of(spec.base_model, catalog.load(), settings.prices)
    cost = estimate(spec.tuning, train.examples, train.guess, price, today, train.with_files)
    if not settings.emulator and (left := facts.retires - today) <= NOTICE:
        soon = f"{spec.base_model} retires on {facts.retires}, {counted(left.days, 'day')} from now"
        cost = replace(cost, notes=(*cost.notes, f"{soon}, and what was tuned from it with it"))
    if spec.promotion == "copy" and not settings.promotes_from:
        cost = replace(cost, notes=(*cost.notes, "tuned, for this stack promotes from no other"))
    places = {key: f"{file.path}:{file.line('tuning', key)}" for key in spec.tuning.as_written()}
    if spec.tuning.continue_from:
        places["continues"] = f"{file.path}:{file.line('tuning', 'continue_from')}"
    places["base_model"] = f"{file.path}:{file.line('base_model')}"
    places["dataset"] = spec.dataset
    return Desired(
        name=file.name,
        fingerprint=identity.fingerprint(inputs),
        inputs=inputs,
        estimate=cost,
        examples=train.examples,
        location=settings.region,
        serving_location=settings.serving_location or facts.serving[settings.region],
        at_least=spec.evaluation.at_least,
        metric=spec.metric if "test" in data.splits else None,
        refusals=dict(_refusals(file, cost, facts, settings, today)),
        priority=spec.priority,
        kms_key=settings.kms_key if facts.customer_managed_keys else None,
        copies=_copies(file, settings),
        pin=spec.pin,
        places=places,
    )


def _copies(file: SpecFile, settings: Settings) -> bool:
    return file.spec.promotion == "copy" and settings.promotes_from is not None


def _refusals(
    file: SpecFile, cost: Estimate, facts: BaseModelFacts, settings: Settings, today: date
) -> Iterator[tuple[str, str]]:
    """The guards that a spec does not pass by itself, each with the reason."""
    if settings.kms_key and not facts.customer_managed_keys:
        source = f"{catalog.load().sources[facts.limits_source]}, read on {facts.limits_read}"
        lacks = f"{_base_model(file)} takes no customer-managed key ({source})"
        yield guards.GOOGLE_KEY, f"{lacks}, and vertune:kmsKey asks for one"
    if _copies(file, settings):
        return  # nothing is paid, and nothing tuned
    if over := _over_budget(file, cost):
        yield guards.BUDGET, over
    if facts.retires - today <= _NO_MORE_TUNING and not settings.emulator:
        why = f"{_base_model(file)} retires on {facts.retires}"
        yield guards.RETIRING, f"{why}: the service takes no tuning of it in the month before"


def _base_model(file: SpecFile) -> str:
    return f"{file.spec.base_model} ({file.path}:{file.line('base_model')})"


def _over_budget(file: SpecFile, cost: Estimate) -> str | None:
    budget, place = file.spec.budget_usd, f"{file.path}:{file.line('budget_usd')}"
    if budget is None or (cost.price_usd is not None and cost.price_usd <= budget):
        return None
    if cost.price_usd is None:
        return f"the price is unknown, so the budget of ${budget:g} ({place}) cannot be kept"
    return f"{usd(cost.price_usd)} is over the budget of ${budget:g} ({place})"


def sources(
    where: str, root: Path, open_bucket: OpenBucket
) -> tuple[Mapping[SplitName, Source], AbstractContextManager[None]]:
    """The splits at the place that a spec names, and what they are to be read within.

    Raises NoDataset with what is wrong about the place.
    """
    if not where.startswith("gs://"):
        if "://" in where:
            raise NoDataset(f"{where} is no address that is read; write gs://… or a path from here")
        return dataset.local_sources(root, where), nullcontext()
    name, _, path = where.removeprefix("gs://").partition("/")
    if not name or not path:
        raise NoDataset(
            f"{where} names no object; write gs://bucket/object.jsonl or gs://bucket/prefix/"
        )
    bucket = open_bucket(name)
    with doing(f"looking for {where}", bucket):
        return _remote_sources(bucket, path, where), doing(f"reading {where}", bucket)


def _remote_sources(bucket: Bucket, path: str, where: str) -> Mapping[SplitName, Source]:
    if not path.endswith("/"):
        if (source := _remote(bucket, path, where)) is None:
            raise NoDataset(f"{where} does not exist")
        return {"train": source}
    found = {
        split: source
        for split in SPLITS
        if (source := _remote(bucket, f"{path}{split}.jsonl", f"{where}{split}.jsonl"))
    }
    if "train" not in found:
        raise NoDataset(f"{where} holds no train.jsonl; that is the split to tune on")
    return found


def _remote(bucket: Bucket, path: str, shown: str) -> Source | None:
    """An object in the generation it has now, whatever is written over it later."""
    blob: Blob | None = bucket.get_blob(path, retry=retry())
    if blob is None:
        return None
    if blob.content_encoding:  # the service would get what only a browser unpacks
        what = f"{shown} is stored compressed ({blob.content_encoding}); upload it as it is"
        raise NoDataset(what)
    pinned = bucket.blob(path, generation=blob.generation)
    state = f"{blob.bucket.name}:{path}:{blob.generation}"
    return Source(
        shown, lambda: pinned.open("rb", retry=retry()), lambda: state, lambda: int(blob.size or 0)
    )
