"""Fingerprint: SHA-256 of what makes two tunings the same; names and pass marks do not."""

import hashlib
import json
from typing import Any

from jobs.runner.spec import Spec

METHOD = "supervised"

# The labels of a job by which it is found again.
STACK, SPEC, FINGERPRINT = "vertune-stack", "vertune-spec", "vertune-fingerprint"


def inputs(spec: Spec, dataset_digest: str, continues: str | None = None) -> dict[str, Any]:
    """All that the fingerprint covers; kept with the entry, so that a plan can say what changed."""
    return {
        "method": METHOD,
        "base_model": spec.base_model,
        "hyperparameters": spec.tuning.as_written(),
        "dataset": dataset_digest,
        "continues": continues,
    }


def fingerprint(inputs: dict[str, Any]) -> str:
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def label(fingerprint: str) -> str:
    """The fingerprint as a label value, which holds at most 63 characters."""
    return fingerprint[:40]
