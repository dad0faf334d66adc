"""Adoption: records a job or tuned model that exists already under a name; tunes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jobs.runner import identity
from jobs.runner.desired import Resolved
from jobs.runner.entry import Entry, Recorded, Summary
from jobs.runner.errors import JobMissing, VertuneError
from jobs.runner.flight import Flight
from jobs.runner.lease import holder
from jobs.runner.ledger import Ledger
from jobs.runner.registry import Model, Registry
from jobs.runner.serving import ending
from jobs.runner.storage import Changed
from jobs.runner.submission import of_spec
from jobs.runner.vertex import STAND_IN_LABEL, Job, Order, Vertex

_NAME = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<rest>\w+/[^/]+)")


@dataclass(frozen=True)
class Found:
    """What is there: a tuned model, the job that made it, or both."""

    job: Job | None
    model: Model | None

    @property
    def order(self) -> Order | None:
        return self.job.order if self.job else None

    @property
    def base_model(self) -> str | None:
        asked = self.order.base_model if self.order else ""
        return asked or (self.model.base_model if self.model else None)

    def __str__(self) -> str:
        return self.job.name if self.job else self.model.name if self.model else "nothing"


@dataclass(frozen=True)
class Adoption:
    stack: str
    project: str
    region: str
    ledger: Ledger
    vertex: Vertex
    registry: Registry

    # What is there

    def job(self, given: str) -> Found:
        """By its whole name or its id. Raises VertuneError if it cannot become a tuned model."""
        name = given if "/" in given else f"{self._place(self.region)}/tuningJobs/{given}"
        name = self._own(name, "tuningJobs", self.region)
        try:
            job = self.vertex.job(name)
        except JobMissing as error:
            raise VertuneError(f"{error} in project {self.project}") from error
        if job.order is None:
            raise VertuneError(f"{job.name} is no supervised tuning; only such can be imported")
        if not job.done:
            return Found(job, None)
        if not job.succeeded:
            raise VertuneError(
                f"{job.name} ended as {job.state}: there is nothing to import; let"
                " `vertune apply` tune it"
            )
        return Found(job, self._there(job.tuned_model or ""))

    def model(self, given: str) -> Found:
        """By its whole name, with the job that made it where the service still lists it."""
        model = self._there(self._own(given, "models", None))
        made = [job for job in self.vertex.jobs({}) if job.tuned_model == model.name]
        return Found(made[0] if made else None, model)

    def _there(self, name: str) -> Model:
        model = self.registry.model(name)
        if model is None:
            raise VertuneError(f"there is no tuned model {name} in project {self.project}")
        return model

    def _own(self, given: str, kind: str, location: str | None) -> str:
        """Asked for in this project, whose number nobody has to know: another's is not found."""
        parts = _NAME.fullmatch(given)
        if parts is None or not parts["rest"].startswith(f"{kind}/"):
            raise VertuneError(f"{given} is not projects/…/locations/…/{kind}/…; give it whole")
        if location not in (None, parts["location"]):
            raise VertuneError(
                f"{given} is in {parts['location']}, this stack tunes in {location}; import it in"
                " a stack of that region"
            )
        if not parts["project"].isdecimal() and parts["project"] != self.project:
            raise VertuneError(f"{given} is of another project, this stack's is {self.project}")
        return f"{self._place(parts['location'])}/{parts['rest']}"

    def _place(self, location: str) -> str:
        return f"projects/{self.project}/locations/{location}"

    # The entry

    def adopt(self, name: str, found: Found, resolved: Resolved | None) -> Flight:
        """Record it, as what the spec asks for where one is given; again is the same as once."""
        record = self.ledger.recorded(name).get(name, Recorded())
        entry = self._entry(name, found, resolved)
        if resolved is None and (known := _known(record, found)):
            entry = entry.model_copy(
                update={"fingerprint": known.fingerprint, "inputs": known.inputs}
            )
        _hold(entry, record, found, resolved)
        try:
            return Flight(entry, self.ledger.create(entry), resolved)
        except Changed:
            return self._instead(entry, found, resolved)

    def _instead(self, entry: Entry, found: Found, resolved: Resolved | None) -> Flight:
        flight = Flight(entry, 0, resolved)
        flight.read(self.ledger)
        there = flight.entry
        if (there.job, there.tuned_model) == (entry.job, entry.tuned_model):
            return flight
        if there.job == entry.job and there.in_flight:
            flight.record(self.ledger, **_result(found, self.ledger.clock.stamp()))
            return flight
        if there.state not in ("failed", "cancelled"):
            raise VertuneError(
                f"{entry.name} has this tuning already, {there.state}, by"
                f" {there.job or there.tuned_model or there.holder}; nothing was done"
            )
        flight.entry = entry.model_copy(
            update={"previous": [*there.previous, *([there.job] if there.job else [])]}
        )
        flight.claim(self.ledger)
        return flight

    def _entry(self, name: str, found: Found, resolved: Resolved | None) -> Entry:
        desired, now = resolved.desired if resolved else None, self.ledger.clock.stamp()
        inputs = dict(desired.inputs) if desired else _inputs(found)
        order, job = found.order, found.job
        values: dict[str, Any] = {
            "name": name,
            "fingerprint": identity.fingerprint(inputs),
            "stack": self.stack,
            "state": "submitted",
            "inputs": inputs,
            "created": (job and job.created) or (found.model and found.model.created) or now,
            "job": job and job.name,
            "location": self.region,
            "holder": holder(),
            "imported": True,
            "dataset_uri": order.train_uri if order else "",
            "epochs": order and order.epochs,
            "spec": "",
            "splits": {},
        }
        said = of_spec(resolved) if resolved else {}
        return Entry.model_validate(values | said | _result(found, now))


def _known(record: Recorded, found: Found) -> Summary | None:
    """The service fills in defaults as a job goes on: what is recorded of it once stays."""
    for entry in record.entries.values():
        if found.job and entry.job == found.job.name:
            return entry
        if found.model and entry.tuned_model == found.model.name:
            return entry
    return None


def _hold(entry: Entry, record: Recorded, found: Found, resolved: Resolved | None) -> None:
    """Raises VertuneError where it would be mixed up with another's tunings."""
    desired = resolved.desired if resolved else None
    if desired and found.base_model != desired.inputs["base_model"]:
        raise VertuneError(
            f"{found} tuned {found.base_model}, and the spec of {entry.name} asks for"
            f" {desired.inputs['base_model']}; nothing was done"
        )
    others = [one for key, one in record.entries.items() if key != entry.fingerprint]
    if resolved is None and others:
        raise VertuneError(
            f"{entry.name} is in use by other tunings; give another name, or --as-desired if it is"
            " what the spec asks for"
        )
    if busy := [one for one in others if one.in_flight]:
        raise VertuneError(
            f"{entry.name} has a tuning in flight, {busy[0].job or busy[0].fingerprint[:12]};"
            f" wait for it, or `vertune cancel {entry.name}`"
        )


def _inputs(found: Found) -> dict[str, Any]:
    """What the service says of it: the data by its address, of which there is no digest here."""
    order = found.order
    given = {
        "epochs": order and order.epochs,
        "learning_rate_multiplier": order and order.learning_rate_multiplier,
        "adapter_size": order and order.adapter_size,
    }
    return {
        "method": identity.METHOD,
        "base_model": found.base_model,
        "hyperparameters": {key: value for key, value in given.items() if value is not None},
        "dataset": order and order.train_uri,
        "continues": order and order.pre_tuned_model,
    }


def _result(found: Found, now: str) -> dict[str, Any]:
    if found.job is not None:
        stand_in = {"stand_in": found.job.labels.get(STAND_IN_LABEL)}
        return dict(ending(found.job, now)) if found.job.done else stand_in
    model = found.model
    assert model is not None
    return {
        "state": "succeeded",
        "finished": model.created or now,
        "tuned_model": model.name,
        "endpoint": model.endpoints[-1] if model.endpoints else None,
        "stand_in": model.labels.get(STAND_IN_LABEL),
    }
