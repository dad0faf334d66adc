"""Progress: what an apply does, as bars on a terminal and as plain lines elsewhere; on stderr."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from jobs.runner.errors import plain
from jobs.runner.vertex import Job

_TENTH = 10


class Watch:
    """A context manager; tells of every change of state, and of each tenth of the way."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(
            stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._bars = Progress(
            TextColumn("{task.fields[name]:<12} {task.description:<22}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._last: dict[str, tuple[str, int]] = {}
        self._answers: dict[str, int] = {}
        self._counting = threading.Lock()  # answers come from several threads

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def said(self, name: str, text: str) -> None:
        self._console.print("\n".join(map(plain, f"{name}: {text}".split("\n"))))

    def moved(self, name: str, job: Job) -> None:
        """Show a job's state; a line only when the state or the tenth of its steps is a new one."""
        state = job.state.lower()
        if job.detail and job.state == "RUNNING":
            state = job.detail.lower().replace("_", " ")
        done, total = job.step or 0, job.steps or 0
        self._draw(name, f"{state} {done}/{total}" if total else state, "steps", done, total)
        tenth = done * _TENTH // total if total else 0
        if self._last.get(name) != (state, tenth):
            self._last[name] = (state, tenth)
            if not self._console.is_terminal:
                self.said(name, f"{state}, step {done} of {total}" if total else state)

    def answered(self, name: str, total: int) -> None:
        """Count one answer of an evaluation; a line for the first and the last."""
        with self._counting:
            count = self._answers[name] = self._answers.get(name, 0) + 1
            self._draw(name, f"evaluating {count}/{total}", "answers", count, total)
            if not self._console.is_terminal and count in (1, total):
                self.said(name, f"evaluating on held-out examples, answer {count} of {total}")

    def counted(self, name: str, total: int, examples: int) -> None:
        """Tokens of so many more of the examples are counted; a line for the last."""
        count = self._answers[name] = self._answers.get(name, 0) + examples
        self._draw(name, f"counting {count:,}/{total:,}", "examples", count, total)
        if not self._console.is_terminal and count == total:
            self.said(name, f"the tokens of {total:,} examples are counted")

    def _draw(self, name: str, text: str, what: str, done: int, total: int) -> None:
        key = (name, what)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(text, name=name, total=total or None)
        self._bars.update(self._tasks[key], description=text, completed=done, total=total or None)
