"""Masks: which fields of a resource a request changes."""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.shapes import an_object


def apply(mask: str, source: Mapping[str, Any], target: dict[str, Any]) -> None:
    """Set in `target` what `source` has at each path; what it has not is removed."""
    for path in mask.split(","):
        _copy([camel(part) for part in path.split(".")], source, target)


def camel(field: str) -> str:
    first, *rest = field.strip().split("_")
    return first + "".join(word.capitalize() for word in rest)


def _copy(path: list[str], source: Mapping[str, Any], target: dict[str, Any]) -> None:
    *parents, last = path
    for key in parents:
        source = an_object(source, key)
        target = target.setdefault(key, {})
    if last in source:
        target[last] = source[last]
    else:
        target.pop(last, None)
