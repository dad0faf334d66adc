"""YAML documents whose values remember their line; loading runs and expands nothing."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from jobs.runner.errors import Problem, Problems

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGEST = 256 * 1024


def read(path: Path, shown: str) -> yaml.MappingNode:
    """The top-level mapping of a file.

    Raises Problems: unreadable, not UTF-8, not YAML, too large, aliases, duplicate keys.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Problems([Problem(shown, line, "", "is not UTF-8: save it as UTF-8")]) from None
    except OSError as error:
        raise Problems([Problem(shown, 0, "", f"cannot be read: {error.strerror}")]) from None
    if len(text) > _LARGEST:
        raise Problems([Problem(shown, 0, "", "is larger than 256 KiB; a spec is a few lines")])
    return _compose(text, shown)


def _compose(text: str, shown: str) -> yaml.MappingNode:
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise Problems([Problem(shown, line, "", "uses a YAML alias (*…); write it out")])
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = f"is not YAML: {error.problem or error.context}"
        raise Problems([Problem(shown, line, "", what)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        what = (
            "is nested too deeply" if isinstance(error, RecursionError) else f"is not YAML: {error}"
        )
        raise Problems([Problem(shown, 0, "", what.splitlines()[0])]) from None
    if not isinstance(node, yaml.MappingNode):
        raise Problems([Problem(shown, 1, "", "is empty or not a mapping of keys to values")])
    if repeated := list(_repeated_keys(node, shown)):
        raise Problems(repeated)
    return node


def _repeated_keys(node: yaml.Node, shown: str) -> Iterator[Problem]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if (name := str(key.value)) in seen:
                yield Problem(shown, line, name, f"is given twice, first on line {seen[name]}")
            seen.setdefault(name, line)
            yield from _repeated_keys(value, shown)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, shown)


def merged(base: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """`base` with the values of `over`, mappings merged key by key; every value keeps its line."""
    pairs = {str(key.value): (key, value) for key, value in base.value}
    for key, value in over.value:
        _, before = pairs.get(name := str(key.value), (None, None))
        if isinstance(before, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            value = merged(before, value)
        pairs[name] = (key, value)
    return yaml.MappingNode(base.tag, list(pairs.values()), base.start_mark, base.end_mark)


def without(node: yaml.MappingNode, *names: str) -> yaml.MappingNode:
    pairs = [(key, value) for key, value in node.value if str(key.value) not in names]
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark)


def child(node: yaml.Node, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if str(key.value) == name), None)


def values(node: yaml.MappingNode, shown: str) -> dict[str, Any]:
    """The plain values of a mapping. Raises Problems for a value YAML cannot construct."""
    loader = yaml.SafeLoader("")
    try:
        return {str(key): value for key, value in loader.construct_document(node).items()}
    except (yaml.MarkedYAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Problems([Problem(shown, mark.line + 1 if mark else 0, "", str(error))]) from None


def line_of(node: yaml.Node, loc: Iterable[str | int]) -> int:
    """The line of the value at `loc`, or of the nearest thing above it; counts from 1."""
    for step in loc:
        found = _step(node, step)
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1


def _step(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    return child(node, str(step))


def problems(
    error: ValidationError, node: yaml.Node, shown: str, model: type[BaseModel]
) -> list[Problem]:
    """pydantic's findings, each with its line and, for an unknown key, the nearest known one."""
    return [
        Problem(
            shown,
            line_of(node, item["loc"]),
            ".".join(str(step) for step in item["loc"]),
            _sentence(item, model),
        )
        for item in error.errors()
    ]


def _sentence(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    if item["type"] == "extra_forbidden":
        *parents, key = item["loc"]
        return "is not a key of a spec" + did_you_mean(str(key), _keys(model, parents))
    if item["type"] == "missing":
        return "is missing; every spec needs it"
    if item["type"] == "literal_error":
        expected = item["ctx"]["expected"]
        return f"is not {expected}" + did_you_mean(str(item["input"]), expected.split("'")[1::2])
    message = str(item["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _keys(model: type[BaseModel], parents: Sequence[Any]) -> list[str]:
    """The keys of the model that `parents` lead to."""
    for parent in parents:
        field = model.model_fields.get(str(parent))
        annotation = field.annotation if field else None
        kinds = [annotation, *getattr(annotation, "__args__", ())]
        models = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not models:
            return []
        model = models[0]
    return list(model.model_fields)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or all there is to choose from where nothing is near."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(known)}" if known else ""
