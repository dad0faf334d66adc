"""Events: what an apply does, as it happens, one JSON object a line for other tools to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from jobs.runner.errors import VertuneError

if TYPE_CHECKING:
    from jobs.runner.plan import Plan
    from jobs.runner.vertex import Job

_TENTH = 10
_PROGRESS = ("state", "step", "steps")
_LONGEST = 1000  # characters of a text, so that a line is one small write, whole or not there

# What each is about, and which fields it has beside those that every line has.
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "planned": ("is in the plan, to be done or not", ("action", "reason", "price_usd")),
    "submitted": ("its job was created", ("job",)),
    "adopted": ("its job was there already", ("job",)),
    "running": ("its job is in another state, or a tenth further", ("job", *_PROGRESS)),
    "succeeded": ("its job ended with a tuned model", ("job", "tuned_model", "endpoint")),
    "copied": ("it is the tuned model of the stack before, copied", ("job", "tuned_model")),
    "evaluated": ("it was scored", ("job", "metric", "score", "base_score")),
    "served": ("it is what the outputs name", ("job",)),
    "forgotten": ("no spec asks for it; the outputs drop it", ()),
    "failed": ("nothing more is done for this name", ("job", "error")),
    "recorded": ("the stack's outputs are up to date", ("counts",)),
    "ended": ("the apply went through, whatever came of it", ("counts",)),
    "stopped": ("the apply, or the rest of it, was refused or given up", ("error",)),
}


class Event(BaseModel):
    """One line; a field that does not apply is left out, and later versions only add some."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = Field(1, description="Of this format")
    time: str = Field(description="RFC 3339, in UTC, to the millisecond")
    event: str = Field(description="What happened, as above")
    stack: str = Field(description="Where")
    name: str | None = Field(None, description="The spec's; none where all of an apply is meant")
    fingerprint: str | None = Field(None, description="Of the tuning")
    job: str | None = Field(None, description="Resource name of the tuning job, once it is known")
    action: str | None = Field(None, description="As in `plan -o json`")
    reason: str | None = Field(None, description="Why that")
    price_usd: float | None = Field(None, description="What it is thought to cost, if anything")
    state: str | None = Field(None, description="The service's word, as PENDING or RUNNING")
    step: int | None = Field(None, description="How far it is, of `steps`")
    steps: int | None = Field(None, description="How far it is to go, once the service says it")
    tuned_model: str | None = Field(None, description="Resource name in the model registry")
    endpoint: str | None = Field(None, description="Resource name of where it answers")
    metric: str | None = Field(None, description="What it is scored by")
    score: float | None = Field(None, description="Of the tuned model")
    base_score: float | None = Field(None, description="Of the base model")
    error: str | None = Field(None, description="What went wrong, cut at 1,000 characters")
    counts: dict[str, int] | None = Field(None, description="How many names, by what came of them")


def table() -> str:
    """As Markdown, a line for each event, then one for each field."""
    lines = ["| event | says | with |", "|---|---|---|"]
    for event, (what, fields) in KINDS.items():
        lines.append(f"| `{event}` | {what} | {', '.join(f'`{one}`' for one in fields)} |")
    lines += ["", "| field | is |", "|---|---|"]
    for name, field in Event.model_fields.items():
        lines.append(f"| `{name}` | {field.description} |")
    return "\n".join(lines)


class Events:
    """Appended to a file, each line at once, in one write; nowhere if there is none."""

    def __init__(self, stack: str = "", file: Path | None = None) -> None:
        self._stack = stack
        self._descriptor = _opened(file) if file else None
        self._of: dict[str, dict[str, Any]] = {}  # what is known of each name
        self._last: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, VertuneError):
            self.happened("stopped", error=str(error))
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def happened(self, event: str, name: str | None = None, **facts: Any) -> None:
        """One step; of a name also what was said of it before: fingerprint and job."""
        if self._descriptor is None:
            return
        known = self._of.setdefault(name, {}) if name else {}
        if "job" in facts:
            known["job"] = facts["job"]
        told = {**known, **{key: _cut(value) for key, value in facts.items()}}
        line = Event(time=_now(), event=event, stack=self._stack, name=name, **told)
        self._write(line.model_dump_json(exclude_none=True).encode() + b"\n")

    def planned(self, plan: Plan) -> None:
        for change in plan.changes:
            estimate = change.desired.estimate if change.desired and change.costs else None
            self._of[change.name] = {"fingerprint": change.fingerprint}
            self._last.pop(change.name, None)
            self.happened(
                "planned",
                change.name,
                action=change.action.word,
                reason=change.reason,
                price_usd=estimate.price_usd if estimate else None,
            )

    def moved(self, name: str, job: Job) -> None:
        """A job that goes on; a line for each new state, and for each tenth of its steps."""
        at = job.state, (job.step or 0) * _TENTH // job.steps if job.steps else 0
        if job.done or self._last.get(name) == at:
            return
        self._last[name] = at
        self.happened("running", name, state=job.state, step=job.step, steps=job.steps)

    def _write(self, line: bytes) -> None:
        assert self._descriptor is not None
        try:
            os.write(self._descriptor, line)
        except OSError as error:  # what is paid for is not given up for a log
            self._descriptor = None
            sys.stderr.write(f"no more events are written: {error.strerror}\n")


def _opened(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise VertuneError(f"{file}: events cannot be written there: {error.strerror}") from None


def _cut(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value[:_LONGEST].encode("utf-8", "replace").decode()  # a service may send half a pair


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
