"""Forms: the accepted shapes of a line, checked while it is parsed.

Whatever is not plain is left to the slow reading of `example`, which says what is wrong.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

_Text = Annotated[str, Meta(min_length=1)]


class Part(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A text."""

    text: str


class FileData(Struct, frozen=True, gc=False):
    """A file in Cloud Storage, its fields in the order they are uploaded in."""

    fileUri: str
    mimeType: str


class FilePart(Struct, frozen=True, gc=False):
    """A file that stands between texts."""

    fileData: FileData


class Turn(Struct, frozen=True, gc=False):
    """What one of the two says."""

    role: str
    parts: tuple[Part | FilePart, ...]


class Conversation(Struct, frozen=True, gc=False, omit_defaults=True):
    """Today's form; the order of the fields is that of the bytes which are tuned on."""

    systemInstruction: Turn | UnsetType = UNSET
    contents: tuple[Turn, ...] = ()


# What is decoded holds texts alone: files and tools are rare, and left to the slow reading.


class _Said(Turn, frozen=True, gc=False, forbid_unknown_fields=True):
    role: Literal["user", "model"]
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]


class _System(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    parts: Annotated[tuple[Part, ...], Meta(min_length=1)]
    role: str | UnsetType = UNSET


class _Contents(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    contents: Annotated[tuple[_Said, ...], Meta(min_length=2)]
    systemInstruction: _System | UnsetType = UNSET


class _Of2023(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    input_text: _Text
    output_text: _Text


class _Message(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant", "model"]
    content: _Text


class _Messages(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    messages: Annotated[tuple[_Message, ...], Meta(min_length=2)]


_contents = msgspec.json.Decoder(_Contents).decode
_of_2023 = msgspec.json.Decoder(_Of2023).decode
_messages = msgspec.json.Decoder(_Messages).decode
encode = msgspec.json.Encoder().encode

Read = tuple[Literal["contents", "input_text", "messages"], str | None, tuple[Turn, ...]]


def turn(role: str, text: str) -> Turn:
    return Turn(role, (Part(text),))


def quick(line: bytes) -> Read | None:
    """Form, system instruction and turns of a line that is without a doubt right; else None."""
    read = _BY_START.get(line[:5])
    if read is None or 0 in line:
        return None
    try:
        return read(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _read_2023(line: bytes) -> Read | None:
    body = _of_2023(line)
    if _quotes(line) != 8 or body.input_text.isspace() or body.output_text.isspace():
        return None
    return "input_text", None, (turn("user", body.input_text), turn("model", body.output_text))


def _read_contents(line: bytes) -> Read | None:
    body = _contents(line)
    said, quotes, system = body.contents, 2, None
    wanted = "user"
    for one in said:
        parts = one.parts
        quotes += 6 + 4 * len(parts)
        if one.role != wanted or not any(map(_says, parts)):
            return None
        wanted = "user" if wanted == "model" else "model"
    if wanted != "user":
        return None
    if given := body.systemInstruction:
        quotes += 4 + 4 * len(given.parts) + (0 if given.role is UNSET else 4)
        system = "".join([part.text for part in given.parts])
        if not system or system.isspace():
            return None
    return ("contents", system, said) if _quotes(line) == quotes else None


def _read_messages(line: bytes) -> Read | None:
    said = _messages(line).messages
    system = said[0].content if said[0].role == "system" else None
    rest = said[1:] if system else said
    turns = tuple(turn(_ROLES.get(one.role, ""), one.content) for one in rest)
    if len(turns) % 2 or not turns or any(one.content.isspace() for one in said):
        return None
    if any(one.role != ("user", "model")[i % 2] for i, one in enumerate(turns)):
        return None
    return ("messages", system, turns) if _quotes(line) == 2 + 8 * len(said) else None


def _says(part: Part) -> bool:
    return bool(part.text) and not part.text.isspace()


def _quotes(line: bytes) -> int:
    """The quotes around keys and texts; more than there should be are a key given twice."""
    escaped = line.count(b'\\"') if b"\\" in line else 0
    if escaped and b"\\\\" in line:  # whether it escapes the quote takes more than a look
        return -1
    return line.count(b'"') - escaped


_ROLES = {"user": "user", "assistant": "model", "model": "model"}
_BY_START: dict[bytes, Callable[[bytes], Read | None]] = {
    b'{"con': _read_contents,
    b'{"sys': _read_contents,
    b'{"inp': _read_2023,
    b'{"out': _read_2023,
    b'{"mes': _read_messages,
}
