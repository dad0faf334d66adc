"""Serving: what follows a finished job: its result recorded, scored, and served if it may be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jobs.runner.errors import VertuneError
from jobs.runner.evaluate import evaluate
from jobs.runner.flight import Flight
from jobs.runner.ledger import Ledger
from jobs.runner.shortfall import ADVICE, worse
from jobs.runner.vertex import STAND_IN_LABEL, Job, Vertex


class Stopped(VertuneError):
    """A person asked to stop; what is done so far is recorded."""


@dataclass(frozen=True)
class Serving:
    ledger: Ledger
    vertex: Vertex
    said: Callable[[str, str], None]
    answered: Callable[[str, int], None]
    happened: Callable[..., None]  # Events.happened
    stop: threading.Event

    def finished(self, flight: Flight, job: Job) -> None:
        """Record how a job ended. Raises VertuneError if it was not with a tuned model.

        If the tuning was asked for again meanwhile, that is in flight then.
        """
        flight.record(self.ledger, **ending(job, self.ledger.clock.stamp()))
        if not job.succeeded and not flight.entry.in_flight:
            raise VertuneError(f"{flight.entry.state}: {flight.entry.error}")

    def serve(self, flight: Flight) -> None:
        """Score the tuned model where there is a test split, then serve it if it may be.

        Raises VertuneError if it is below its mark.
        """
        if flight.resolved is None:
            return  # no spec asks for it any more: kept, not served
        flight.read(self.ledger)
        self._score(flight)
        name, mark = flight.entry.name, flight.resolved.file.spec.evaluation.at_least
        if not flight.entry.passes(mark):
            found = flight.entry.score
            reached = f"reached {found.tuned:.3f}" if found else "was not scored"
            raise VertuneError(f"{reached}, below its mark of {mark:g}: it is not served")
        model, fingerprint = flight.entry.tuned_model or "", flight.entry.fingerprint
        there = partial(self.vertex.has, model)
        if not self.ledger.activate(name, fingerprint, unless_taken_back=True, there=there):
            self.said(name, "scored; it was taken back and is not served")
            return
        self.said(name, f"{'copied' if flight.entry.copied else 'tuned'} and served")
        if why := worse(flight.entry.score, mark):
            self.said(name, f"{why}; its spec sets no mark that would keep it back: {ADVICE}")
        self.happened("served", name)

    def _score(self, flight: Flight) -> None:
        assert flight.resolved is not None
        spec, entry = flight.resolved.file.spec, flight.entry
        split = flight.resolved.dataset.splits.get("test")
        if split is None or entry.endpoint is None:
            return
        if entry.score and entry.score.metric == spec.metric:
            return  # somebody else was faster
        total = 2 * split.examples

        def answered() -> None:
            if self.stop.is_set():
                raise Stopped("stopped while it was evaluated; the next apply evaluates it")
            self.answered(entry.name, total)

        score, _ = evaluate(
            self.vertex,
            split,
            spec.instructions,
            base_model=spec.base_model,
            endpoint=entry.endpoint,
            metric=spec.metric,
            answered=answered,
        )
        flight.record(self.ledger, score=score)
        scores = {"score": score.tuned, "base_score": score.base}
        self.happened("evaluated", entry.name, metric=score.metric, **scores)


def ending(job: Job, now: str) -> dict[str, object]:
    """What an entry records of how its job ended."""
    ended = job.finished or now
    told: dict[str, object] = {
        "finished": ended,
        "started": job.started,
        "billed_tokens": job.billed_tokens,
    }
    if job.order and job.order.epochs:
        told["epochs"] = job.order.epochs
    if not job.succeeded:
        state = "cancelled" if job.state == "CANCELLED" else "failed"
        why = job.error or f"the service ended it as {job.state}"
        return {**told, "state": state, "error": why}
    return {
        **told,
        "state": "succeeded",
        "tuned_model": job.tuned_model,
        "endpoint": job.endpoint,
        "stand_in": job.labels.get(STAND_IN_LABEL),
        "checkpoints": [dict(point) for point in job.checkpoints],
        "statistics": dict(job.statistics),
    }
