"""Reasons: what differs between two tunings, in words, with where the new value stands."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.runner.plan import Desired


def differences(before: Mapping[str, Any], wanted: Desired) -> Iterator[str]:
    """Each input that differs, with its old and new value and where the new one stands."""
    old, new = _flat(before), _flat(wanted.inputs)
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            place = wanted.places.get(key)
            at = f" ({place})" if place else ""
            yield f"{key} {_short(old.get(key))} → {_short(new.get(key))}{at}"


def _flat(inputs: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in inputs.items() if key != "hyperparameters"}
    return flat | dict(inputs.get("hyperparameters") or {})


def _short(value: Any) -> str:
    text = "default" if value is None else str(value)
    return text[:12] if len(text) == 64 else text
