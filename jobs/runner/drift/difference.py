"""Difference: one thing that is not as it is recorded, what that means, and what to do."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The words are for people and for programs."""

    UNREADABLE = "ledger object unreadable"
    EDITED = "ledger entry edited"
    DANGLING = "served entry lost"
    LOST = "ledger entry lost"
    JOB_MISSING = "job missing"
    JOB_ENDED = "job ended"
    JOB_DIFFERS = "job differs"
    JOB_LONG = "job runs for long"
    JOB_UNKNOWN = "job unknown"
    LABELS = "labels changed"
    MODEL_MISSING = "tuned model missing"
    MODEL_UNKNOWN = "tuned model unknown"
    ENDPOINT_MISSING = "endpoint missing"
    UNDEPLOYED = "undeployed"
    ALIAS = "alias moved"
    RETIRING = "base model retiring"
    RETIRED = "base model retired"


@dataclass(frozen=True)
class Difference:
    """`name` is empty where it is not known whose it is."""

    kind: Kind
    name: str
    resource: str
    what: str
    means: str
    advice: str
