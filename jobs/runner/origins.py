"""Origins: each value of a spec as a stack sees it, with the line that it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

from jobs.runner import document
from jobs.runner.spec import SpecFile

DEFAULT, OF_THE_TASK, OF_THE_SERVICE = "default", "default of the task", "the service's default"
_ELSEWHERE = ("overrides",)  # what it says for this stack is already in the values


@dataclass(frozen=True)
class Value:
    """`origin` is a file and its line, or what decides where the file says nothing."""

    key: str
    value: Any
    origin: str


def values(file: SpecFile) -> Iterator[Value]:
    """In the order of a spec's fields; of what is nested each value by itself."""
    for name in type(file.spec).model_fields:
        if name not in _ELSEWHERE:
            yield from _below(file, (name,), getattr(file.spec, name))


def _below(file: SpecFile, place: tuple[str, ...], value: Any) -> Iterator[Value]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _below(file, (*place, name), getattr(value, name))
    elif isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _below(file, (*place, name), inner)
    else:
        yield _value(file, place, value)


def _value(file: SpecFile, place: tuple[str, ...], value: Any) -> Value:
    key = ".".join(place)
    if _is_written(file.node, place):
        return Value(key, _plain(value), f"{file.path}:{file.line(*place)}")
    if key == "evaluation.metric":
        return Value(key, file.spec.metric, OF_THE_TASK)
    return Value(key, _plain(value), OF_THE_SERVICE if _left_to_it(place, value) else DEFAULT)


def _left_to_it(place: tuple[str, ...], value: Any) -> bool:
    return value is None and place in (
        ("tuning", "epochs"),
        ("tuning", "learning_rate_multiplier"),
        ("tuning", "adapter_size"),
    )


def _is_written(node: yaml.Node | None, place: tuple[str, ...]) -> bool:
    for name in place:
        node = document.child(node, name) if node is not None else None
    return node is not None


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [one.model_dump() if isinstance(one, BaseModel) else one for one in value]
    return value
