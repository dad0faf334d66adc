"""Reading rules: from YAML or JSON, whole or not at all, with every problem and its line."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from jobs.emulator.faults.rule import OUTCOMES, Rule

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LONGEST = 3600
_SHOWN = 60
_WHICH = ("name", "method", "path", "query", "nth", "times")
_CHECKS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("letters, digits and dashes", lambda v: bool(re.fullmatch(r"[\w-]+", _text(v)))),
    "method": (f"one of {', '.join(_METHODS)}", lambda v: v in _METHODS),
    "path": ("a glob, as '*/tuningJobs'", lambda v: bool(_text(v))),
    "query": ("a glob, as '*uploadType=resumable*'", lambda v: bool(_text(v))),
    "nth": ("a whole number from 1 on", lambda v: _whole(v, 1)),
    "times": ("a whole number from 1 on", lambda v: _whole(v, 1)),
    "when": ("'before' or 'after'", lambda v: v in ("before", "after")),
    "delay": (
        f"seconds, up to {_LONGEST}",
        lambda v: type(v) in (int, float) and 0 < v <= _LONGEST,
    ),
    "status": ("a status from 400 to 599", lambda v: _whole(v, 400) and v < 600),
    "cut": ("'fin' or 'rst'", lambda v: v in ("fin", "rst")),
    **dict.fromkeys(("truncate", "malformed", "hold"), ("true", lambda v: v is True)),
}


class RulesError(ValueError):
    """Rules that are none; the message has a line for each problem."""

    def __init__(self, problems: Iterable[str]) -> None:
        super().__init__("\n".join(problems))


def rules(text: str, source: str) -> tuple[Rule, ...]:
    """The rules of a file; those without a name are named by their place, counted from 1."""
    root = _composed(text, source)
    if root is None:
        return ()
    if not isinstance(root, SequenceNode):
        raise RulesError([f"{source}:{_line(root)}: a list of rules is expected"])
    found = [_fields(node) for node in root.value]
    problems = [
        f"{source}:{line}: rule {number}: {what}"
        for number, (values, faults) in enumerate(found, 1)
        for line, what in sorted([*faults, *_twice(values, number, found, root)])
    ]
    if problems:
        raise RulesError(problems)
    return tuple(
        replace(Rule(**values), name=_name(values, number))
        for number, (values, _) in enumerate(found, 1)
    )


def rule(text: str, source: str) -> Rule:
    """The one rule of a header, which is for its own request and no other."""
    root = _composed(text, source)
    if root is None:
        raise RulesError([f"{source}: a rule is expected"])
    values, faults = _fields(root)
    problems = [f"{source}: {what}" for _, what in sorted(faults)]
    problems += [f"{source}: {name}: is for rules of a file" for name in _WHICH if name in values]
    if problems:
        raise RulesError(problems)
    return Rule(**values)


def _composed(text: str, source: str) -> Node | None:
    try:
        node: Node | None = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RulesError([f"{source}:{line}: {error.problem}"]) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RulesError([f"{source}: {' '.join(str(error).split())}"]) from None
    return node


Fields = dict[str, Any]
Faults = list[tuple[int, str]]  # by line


def _fields(node: Node) -> tuple[Fields, Faults]:
    """What one rule says, and everything that is wrong with it."""
    if not isinstance(node, MappingNode):
        return {}, [(_line(node), "fields and their values are expected")]
    values: Fields = {}
    faults: Faults = []
    for key, value in node.value:
        name = _plain(key)
        if what := _fault(name, _value(value), values):
            faults.append((_line(key), f"{name}: {what}"))
        values[name] = _value(value)
    faults += [(_line(node), what) for what in _contradictions(values)]
    return values, faults


def _fault(name: str, value: object, before: Fields) -> str | None:
    if name not in _CHECKS:
        near = get_close_matches(name, _CHECKS, 1)
        return f"unknown; did you mean {near[0]}?" if near else f"unknown; use {', '.join(_CHECKS)}"
    expected, fits = _CHECKS[name]
    if name in before:
        return "stands twice"
    return None if fits(value) else f"must be {expected}"


def _contradictions(values: Fields) -> Iterator[str]:
    outcomes = [name for name in OUTCOMES if name in values]
    if len(outcomes) > 1:
        yield f"only one of {', '.join(outcomes)} can become of a request"
    if not outcomes and "delay" not in values:
        yield f"does nothing; give one of delay, {', '.join(OUTCOMES)}"
    if "truncate" in values and values.get("when") != "after":
        yield "truncate: needs `when: after`; before it there is no answer"


def _twice(
    values: Fields, number: int, found: list[tuple[Fields, Faults]], root: SequenceNode
) -> Faults:
    name = _name(values, number)
    for other, (earlier, _) in enumerate(found[: number - 1], 1):
        if _name(earlier, other) == name:
            return [(_line(root.value[number - 1]), f"name: rule {other} has the name {name} too")]
    return []


def _name(values: Fields, number: int) -> str:
    return str(values.get("name", number))


def _value(node: Node) -> object:
    """A scalar's; anything else is no value of any field, and stands for itself."""
    if not isinstance(node, ScalarNode):
        return node
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node


def _plain(key: Node) -> str:
    """A key on one line, whatever it is."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(key.value)[:_SHOWN])


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least
