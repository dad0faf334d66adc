"""Labels: what keys and values may look like, and those the emulator adds to say what it is."""

import re
from collections.abc import Mapping

STAND_IN = "local-stand-in"
TUNE_TYPE = "tune-type"

_MOST = 64
_LENGTH = 63


def label_faults(labels: Mapping[str, str]) -> list[str]:
    faults = [
        f"label key {key!r} must start with a lowercase letter and hold at most {_LENGTH} lowercase"
        " letters, digits, underscores and dashes"
        for key in labels
        if not _fits(key) or not re.match(r"[^\W\d_]", key)
    ]
    faults += [
        f"value {value!r} of label {key!r} must hold at most {_LENGTH} lowercase letters, digits,"
        " underscores and dashes"
        for key, value in labels.items()
        if not _fits(value)
    ]
    if len(labels) > _MOST:
        faults.append(f"at most {_MOST} labels are allowed, got {len(labels)}")
    return faults


def label_value(text: str) -> str:
    """`text` as near as a label's value may come to it."""
    return re.sub(r"[^\w-]", "-", text.lower())[:_LENGTH]


def _fits(text: str) -> bool:
    return len(text) <= _LENGTH and text == text.lower() and not re.search(r"[^\w-]", text)
