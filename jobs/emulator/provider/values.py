"""Values: property maps between the protocol's structs and plain Python."""

from typing import Any

from google.protobuf import json_format, struct_pb2

from jobs.emulator.provider.client import Values


def from_struct(struct: struct_pb2.Struct) -> Values:
    """A struct knows only floating-point numbers; whole ones become integers again."""
    return {name: _whole(value) for name, value in json_format.MessageToDict(struct).items()}


def to_struct(values: Values) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
