"""YAML documents whose values remember their line; loading runs and expands nothing.

Scalars are read as YAML 1.2 has them: `no` is text, 1e-5 a number, and every key is text.
"""

import difflib
import re
import stat
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from jobs.runner.errors import Problem, Problems

_LARGEST = 256 * 1024
_DEEPEST = 20

# The core schema of YAML 1.2, without octal, hexadecimal, infinity and NaN: no setting wants
# them, so they stay text and are refused with their line. 18 digits fit in 64 bits.
# https://yaml.org/spec/1.2.2/#103-core-schema
_PREFIX = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9]{1,18}", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?",
        [*"-+.0123456789"],
    ),
)

_SURROGATE = re.compile("[\ud800-\udfff]")

_LOADER: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
_LOADER.yaml_implicit_resolvers = {}
for _name, _pattern, _starts in _SCALARS:
    _LOADER.add_implicit_resolver(_PREFIX + _name, re.compile(rf"(?:{_pattern})\Z"), _starts)


def read(path: Path, shown: str) -> yaml.MappingNode:
    """The top-level mapping of a file.

    Raises Problems: unreadable, not UTF-8, not YAML, too large or deep, aliases, tags, keys twice.
    """
    text = _text(path, shown)
    try:
        _refuse(text, shown)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        what = f"is not YAML: {error.problem or error.context}"
        raise Problems([Problem(shown, _line(error.problem_mark), "", what)]) from None
    except yaml.YAMLError as error:
        what = f"is not YAML: {str(error).splitlines()[0]}"
        raise Problems([Problem(shown, 0, "", what)]) from None
    if not isinstance(node, yaml.MappingNode):
        raise Problems([Problem(shown, 1, "", "is empty or not a mapping of keys to values")])
    if faulty := list(_keys(node, shown)):
        raise Problems(faulty)
    return node


def _text(path: Path, shown: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Problems([Problem(shown, 0, "", "is not a file")])
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise Problems([Problem(shown, 0, "", f"is larger than {_LARGEST >> 10} KiB")])
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Problems([Problem(shown, line, "", "is not UTF-8: save it as UTF-8")]) from None
    except OSError as error:
        raise Problems([Problem(shown, 0, "", f"cannot be read: {error.strerror}")]) from None


def _refuse(text: str, shown: str) -> None:
    """Raise Problems for what must not be composed; reading events cannot overflow a stack."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if type(event) is yaml.ScalarEvent and event.tag is None and event.value.isascii():
            continue  # nearly all of them
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        what = _refused(event)
        if depth > _DEEPEST:
            what = "is nested too deeply"
        if documents > 1:
            what = "holds a second document (---); a file is one document"
        if what:
            raise Problems([Problem(shown, _line(event.start_mark), "", what)])


def _refused(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "uses a YAML alias (*…); write it out"
    if getattr(event, "tag", None):
        return "uses a YAML tag (!…); write a plain value"
    if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
        return "holds half of a surrogate pair (\\ud8…); remove it"
    return None


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark else 0


def _keys(node: yaml.Node, shown: str) -> Iterator[Problem]:
    """Make every key text, as it is written; what is no text or comes twice is a fault."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _keys(item, shown)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            yield Problem(shown, line, "", "has a list or a mapping as a key; a key is text")
            continue
        if key.value in seen:
            yield Problem(
                shown, line, key.value, f"is given twice, first on line {seen[key.value]}"
            )
        seen.setdefault(key.value, line)
        yield from _keys(value, shown)


def merged(base: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """`base` with the values of `over`, mappings merged key by key; every value keeps its line."""
    pairs = {key.value: (key, value) for key, value in base.value}
    for key, value in over.value:
        _, before = pairs.get(key.value, (None, None))
        if isinstance(before, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            value = merged(before, value)
        pairs[key.value] = (key, value)
    return yaml.MappingNode(base.tag, list(pairs.values()), over.start_mark, over.end_mark)


def child(node: yaml.Node, name: str) -> yaml.Node | None:
    """The value of a key, None where there is no such key or no mapping."""
    found = _pair(node, name)
    return found[1] if found else None


def _pair(node: yaml.Node, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((pair for pair in node.value if pair[0].value == name), None)


def values(node: yaml.MappingNode) -> dict[str, Any]:
    """The plain values of a mapping that was read here."""
    return {key.value: _value(value) for key, value in node.value}


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return values(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    text = str(node.value)
    match node.tag.removeprefix(_PREFIX):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return text


def line_of(node: yaml.Node, loc: Iterable[str | int]) -> int:
    """The line of what is at `loc`, or of the nearest thing above it; counts from 1."""
    line = _line(node.start_mark)
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = _line(node.start_mark)
        elif pair := _pair(node, str(step)):
            key, node = pair
            line = _line(key.start_mark)
        else:
            break
    return line


def problems(
    error: ValidationError, node: yaml.Node, shown: str, model: type[BaseModel]
) -> list[Problem]:
    """pydantic's findings, each with its line and, for an unknown key, the nearest known one."""
    return [
        Problem(
            shown,
            line_of(node, item["loc"]),
            ".".join(str(step) for step in item["loc"] if step != "[key]"),
            _sentence(item, model),
        )
        for item in error.errors()
    ]


_SENTENCES = {
    "missing": "is missing; every spec needs it",
    "string_type": "must be text; put it in quotes",
    "string_too_short": "is empty",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "is empty; give it a value or remove it",
    "too_long": "holds more than {max_length}",
}


def _sentence(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, given = item["type"], item["input"]
    if kind == "extra_forbidden":
        *parents, key = item["loc"]
        return "is not a key of a spec" + did_you_mean(str(key), _known_keys(model, parents))
    if given is None:
        return "is empty; give it a value or remove it"
    if kind == "literal_error":
        expected = item["ctx"]["expected"]
        return f"must be {expected}" + did_you_mean(str(given), expected.split("'")[1::2], "")
    if kind in _SENTENCES and not (kind == "string_type" and isinstance(given, list | dict)):
        return _SENTENCES[kind].format(**item.get("ctx", {}))
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input should")
    return ("must" + message) if message.startswith(" ") else message[:1].lower() + message[1:]


def _known_keys(model: type[BaseModel], parents: Sequence[Any]) -> list[str]:
    """The keys of the model that `parents` lead to; of a list, those of what it holds."""
    for parent in parents:
        if isinstance(parent, int):
            continue
        annotation: Any = model.model_fields[str(parent)].annotation
        annotation = next(iter(typing.get_args(annotation)), annotation)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def did_you_mean(word: str, words: Iterable[str], otherwise: str = "; known: {}") -> str:
    """`; did you mean "x"?`, or all there is to choose from where nothing is near."""
    known = {one.lower(): one for one in words}
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{known[near[0]]}"?'
    return otherwise.format(", ".join(known.values())) if known else ""
