"""Outputs: what is served, by name, as the stack exports it."""

import hashlib
import json
from collections.abc import Mapping

from jobs.runner.entry import Recorded, Summary


def exported(recorded: Mapping[str, Recorded]) -> dict[str, dict[str, object]]:
    """What is served, by name, as the stack exports it."""
    served = {name: one.served for name, one in sorted(recorded.items())}
    return {name: _output(summary) for name, summary in served.items() if summary}


def digest_of(outputs: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def _output(summary: Summary) -> dict[str, object]:
    output: dict[str, object] = {
        "tuned_model": summary.tuned_model,
        "endpoint": summary.endpoint,
        "base_model": summary.inputs.get("base_model"),
        "fingerprint": summary.fingerprint,
        "dataset_digest": summary.inputs.get("dataset"),
        "job": summary.job,
        "finished": summary.finished,
    }
    if summary.score:
        output["score"] = summary.score.model_dump()
    if summary.copied:
        output["copied"] = summary.copied.model_dump()
    if summary.stand_in:
        output["simulated"] = f"local simulation: {summary.stand_in} stands in for the base model"
    return output
