"""Shapes: parts of a request, refused with 400 unless they have the shape they must have."""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import invalid


def an_object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object at `name`; an absent one is empty."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(f"Invalid value at '{name}': an object is expected.")
    return value


def a_text(body: Mapping[str, Any], name: str) -> str:
    """The text at `name`; an absent one is empty."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"Invalid value at '{name}': a string is expected.")
    return value or ""


def texts(body: Mapping[str, Any], name: str) -> list[str]:
    """The list of texts at `name`; an absent one is empty."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid(f"Invalid value at '{name}': a list of strings is expected.")
    return value


def a_number(value: object, name: str, absent: int) -> int:
    """A whole number as JSON has it, or as a query does."""
    if value is None or value == "":
        return absent
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise invalid(f"Invalid value at '{name}': a whole number is expected.")
