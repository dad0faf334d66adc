"""Fields: a request's JSON object read by proto name, refused in the service's words."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from jobs.emulator.errors import ApiError, rpc_error


class Fields:
    """Takes camelCase and snake_case, int64 as number or string, enums as name or number."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._values = {_camel(name): value for name, value in values.items()}
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self._values.get(_camel(name)) is not None

    def path(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def only(self, known: Collection[str]) -> None:
        """Refuse a field the message does not have."""
        for name in self._values:
            if _snake(name) not in known:
                at = f" at '{self._path}'" if self._path else ""
                raise rpc_error(
                    "INVALID_ARGUMENT",
                    f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.',
                    violations={self._path: f'Unknown name "{name}": Cannot find field.'},
                )

    def text(self, name: str) -> str:
        value = self._value(name, "")
        if not is_text(value):
            raise self._refusal(name, "TYPE_STRING", value)
        return str(value)

    def flag(self, name: str) -> bool:
        value = self._value(name, False)
        if not isinstance(value, bool):
            raise self._refusal(name, "TYPE_BOOL", value)
        return value

    def integer(self, name: str) -> int | None:
        value = self._value(name)
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self._refusal(name, "TYPE_INT64", value)
        return value

    def number(self, name: str) -> float | None:
        value = self._value(name)
        if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", value):
            return float(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self._refusal(name, "TYPE_DOUBLE", value)
        return None if value is None else float(value)

    def enum(self, name: str, table: Mapping[int, str]) -> str:
        """The value's name; an absent one is the table's zero."""
        value = self._value(name, 0)
        if isinstance(value, str) and value in table.values():
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value not in table:
            raise self._refusal(name, "TYPE_ENUM", value)
        return table[value]

    def message(self, name: str) -> "Fields":
        value = self._value(name, {})
        if not isinstance(value, dict):
            raise self._refusal(name, "TYPE_MESSAGE", value)
        return Fields(value, self.path(name))

    def messages(self, name: str) -> "list[Fields]":
        return [
            Fields(value, f"{self.path(name)}[{number}]")
            for number, value in enumerate(self._list(name, dict, "TYPE_MESSAGE"))
        ]

    def texts(self, name: str) -> list[str]:
        values = self._list(name, str, "TYPE_STRING")
        if not all(map(is_text, values)):
            raise self._refusal(name, "TYPE_STRING", values)
        return values

    def text_map(self, name: str) -> dict[str, str]:
        value = self._value(name, {})
        if not isinstance(value, dict) or not all(map(is_text, (*value, *value.values()))):
            raise self._refusal(name, "TYPE_STRING", value)
        return value

    def json(self, name: str) -> str:
        """A value as it stands, as text."""
        text = as_json(value := self._value(name))
        if not is_text(text):
            raise self._refusal(name, "TYPE_STRING", value)
        return text

    def _value(self, name: str, default: Any = None) -> Any:
        value = self._values.get(_camel(name))
        return default if value is None else value

    def _list(self, name: str, kind: type, proto: str) -> list[Any]:
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
            raise self._refusal(name, proto, value)
        return value

    def _refusal(self, name: str, kind: str, value: object) -> ApiError:
        fault = f"Invalid value at '{self.path(name)}' ({kind}), {json.dumps(value)[:100]}"
        return rpc_error("INVALID_ARGUMENT", fault, violations={self.path(name): fault})


def is_text(value: object) -> bool:
    """Half of a surrogate pair passes as JSON, but no one can encode it."""
    return isinstance(value, str) and not re.search(r"[\ud800-\udfff]", value)


def as_json(value: object) -> str:
    """What the local trainer, which knows nothing of functions, reads and counts of one."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)
