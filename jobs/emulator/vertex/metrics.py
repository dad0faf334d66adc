"""The metrics of every step of every tuning; read by a route of the emulator's own."""

import json
from typing import Any

from jobs.emulator.state import State
from jobs.emulator.trainer.base import Step

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tuning_steps (
    job TEXT NOT NULL, step INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, step)
) WITHOUT ROWID;
"""


class Metrics:
    def __init__(self, state: State) -> None:
        self._state = state
        state.define(_SCHEMA)

    def record(self, job: str, step: Step) -> None:
        body: dict[str, Any] = {
            "step": step.step,
            "epoch": step.epoch,
            # Under the names the service shows them in TensorBoard.
            "metrics": {f"/{name}": value for name, value in step.metrics.items()},
        }
        if step.checkpoint:
            body["checkpointId"] = step.checkpoint
        with self._state.transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO tuning_steps VALUES (?, ?, ?)",
                (job, step.step, json.dumps(body)),
            )

    def forget(self, job: str) -> None:
        with self._state.transaction() as database:
            database.execute("DELETE FROM tuning_steps WHERE job = ?", (job,))

    def steps(self, job: str, after: int = 0) -> list[dict[str, Any]]:
        with self._state.transaction() as database:
            rows = database.execute(
                "SELECT body FROM tuning_steps WHERE job = ? AND step > ? ORDER BY step",
                (job, after),
            ).fetchall()
        return [json.loads(body) for (body,) in rows]
