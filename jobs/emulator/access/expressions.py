"""Expressions: conditions and mappings in CEL, as IAM evaluates them."""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import invalid


def value(expression: str, variables: Mapping[str, Any]) -> Any:
    """What it comes to; None if it cannot be told, as when it names what is not there."""
    import cel  # here: most calls meet no condition, and the import takes most of a second

    try:
        return cel.evaluate(expression, {**variables, "getAttribute": _attribute})
    except (KeyError, RuntimeError, TypeError, ValueError):
        return None


def _attribute(api: Mapping[str, Any], name: str, default: Any) -> Any:
    """`api.getAttribute(NAME, DEFAULT)`: a call's own attribute, where it has that one."""
    return api.get(name, default)


def holds(expression: str, variables: Mapping[str, Any]) -> bool:
    """A condition that cannot be told is not met."""
    return value(expression, variables) is True


def check(expression: str) -> None:
    """Raise 400 for what is no expression at all."""
    import cel

    try:
        cel.compile(expression)
    except ValueError as error:
        raise invalid(f"Invalid expression {expression!r}: {str(error).splitlines()[0]}") from None
