"""Expressions of workflow files, as far as ours go: paths, comparisons, what became of a job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PARTS = re.compile(
    r"'[^']*'|[A-Za-z_][\w.-]*\(\)|[A-Za-z_][\w-]*(?:\.[\w-]+)*|&&|\|\||!=|!|.", re.S
)
_SIGNS = {"&&": " and ", "||": " or ", "!": " not ", "true": "True", "false": "False"}
_ASKING = re.compile(r"\b(?:success|failure|cancelled|always)\(\)")
_INNER = re.compile(r"\$\{\{(.*?)\}\}")


class Unknown(Exception):
    """A path that leads nowhere in the context: GitHub would take it for an empty text."""


def resolved(value: Any, context: Mapping[str, Any]) -> Any:
    """A value of a workflow file with every `${{ }}` in it replaced."""
    if isinstance(value, dict):
        return {key: resolved(one, context) for key, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, context) for one in value]
    if not isinstance(value, str):
        return value
    return _INNER.sub(lambda found: str(evaluated(found[1], context)), value)


def holds(condition: str | None, context: Mapping[str, Any], failed: bool = False) -> bool:
    """Whether a step or job runs; without a word on failure it runs after success only."""
    text = (condition or "success()").strip().removeprefix("${{").removesuffix("}}")
    if not _ASKING.search(text):
        return not failed and bool(evaluated(text, context))
    became = {"success": not failed, "failure": failed, "cancelled": False, "always": True}
    return bool(evaluated(text, context, became))


def evaluated(
    text: str, context: Mapping[str, Any], became: Mapping[str, bool] | None = None
) -> Any:
    """By Python, which needs other signs for the same operators."""

    def part(found: str) -> str:
        if found in _SIGNS:
            return _SIGNS[found]
        if found.endswith("()"):
            return repr((became or {})[found[:-2]])
        return repr(_at(found, context)) if re.match(r"[A-Za-z_]", found) else found

    return eval("".join(map(part, _PARTS.findall(text.strip()))), {"__builtins__": {}})


def _at(path: str, context: Mapping[str, Any]) -> Any:
    found: Any = context
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            raise Unknown(path)
        found = found[key]
    return found
