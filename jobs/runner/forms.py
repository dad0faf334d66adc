"""Forms: the accepted shapes of a line, checked while it is parsed.

Whatever is not plain is left to the slow reading of `example`, which says what is wrong.
"""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

_Text = Annotated[str, Meta(min_length=1)]
_JSON = msgspec.json.Encoder()


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


class CallPart(Struct, frozen=True, gc=False):
    """A function that the model calls."""

    functionCall: dict[str, Any]

    @property
    def text(self) -> str:
        return _JSON.encode(self.functionCall).decode()


class ResponsePart(Struct, frozen=True, gc=False):
    """What a function that was called gave."""

    functionResponse: dict[str, Any]

    @property
    def text(self) -> str:
        return _JSON.encode(self.functionResponse).decode()


class Turn(Struct, frozen=True, gc=False):
    """What one of the two says."""

    role: str
    parts: tuple[Part | FilePart | CallPart | ResponsePart, ...]


class Conversation(Struct, frozen=True, gc=False, omit_defaults=True):
    """Today's form; the order of the fields is that of the bytes which are tuned on."""

    systemInstruction: Turn | UnsetType = UNSET
    contents: tuple[Turn, ...] = ()


# What is decoded holds texts alone: files, functions and tools are left to the slow reading.


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


def called(name: str, args: dict[str, Any] | None) -> str:
    """A call as text, as that of an example is."""
    sorted_args = {} if args is None else {"args": msgspec.to_builtins(args, order="sorted")}
    return CallPart({"name": name, **sorted_args}).text


_OPEN, _CLOSE = b"{}"
encode_lines = _JSON.encode_lines

Form = Literal["contents", "input_text", "messages"]
Read = tuple[Form, str | None, tuple[Turn, ...]]


def turn(role: str, text: str) -> Turn:
    return Turn(role, (Part(text),))


def quick(line: bytes) -> Read | None:
    """Form, system instruction and turns of a line that is without a doubt right; else None."""
    found = quick_lines(line, [line])
    return found[0] if found else None


def quick_lines(block: bytes, lines: Sequence[bytes]) -> list[Read] | None:
    """The same of many lines at once, `block` split at its line feeds; None where one is in doubt.

    Where each line is in braces, a line feed within an object would stand between two braces,
    which is no JSON: so as many objects as lines are one a line.
    """
    form = _BY_START.get(block[:5])
    if form is None or 0 in block or not _in_braces(lines):
        return None
    try:
        bodies = form.decode(block)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    read, quotes, texts = form.read(bodies)
    if not len(bodies) == len(read) == len(lines) or "" in texts or any(map(str.isspace, texts)):
        return None
    return read if quotes + _in_texts(block, texts) == block.count(b'"') else None


def _in_braces(lines: Sequence[bytes]) -> bool:
    if not all(lines):
        return False
    return {line[0] for line in lines} == {_OPEN} and {line[-1] for line in lines} == {_CLOSE}


def _in_texts(block: bytes, texts: Sequence[str]) -> int:
    """The quotes within texts. Where there are more than these, a key is given twice."""
    if not any(['"' in text for text in texts]):
        return 0
    # Whether a backslash escapes the quote behind it takes more than a look.
    return -1 if b"\\\\" in block else block.count(b'\\"')


# What each form gives: what was read, the quotes around keys and texts, and the texts.
_Given = tuple[list[Read], int, list[str]]


def _read_2023(bodies: Sequence[_Of2023]) -> _Given:
    asked = [body.input_text for body in bodies]
    said = [body.output_text for body in bodies]
    read: list[Read] = [  # written out: a call for each turn would take as long as the parsing
        ("input_text", None, (Turn("user", (Part(prompt),)), Turn("model", (Part(answer),))))
        for prompt, answer in zip(asked, said, strict=True)
    ]
    return read, 8 * len(bodies), asked + said


def _read_contents(bodies: Sequence[_Contents]) -> _Given:
    read: list[Read] = []
    quotes, texts = 0, []
    for body in bodies:
        said, system, wanted = body.contents, None, "user"
        quotes += 2
        for one in said:
            quotes += 6 + 4 * len(one.parts)
            if one.role != wanted:
                return [], 0, []
            wanted = "user" if wanted == "model" else "model"
            texts += [part.text for part in one.parts]
        if given := body.systemInstruction:
            quotes += 4 + 4 * len(given.parts) + (0 if given.role is UNSET else 4)
            texts += [part.text for part in given.parts]
            system = "".join([part.text for part in given.parts])
        if wanted == "user":
            read.append(("contents", system, said))
    return read, quotes, texts


def _read_messages(bodies: Sequence[_Messages]) -> _Given:
    read: list[Read] = []
    quotes, texts = 0, []
    for body in bodies:
        said = body.messages
        quotes += 2 + 8 * len(said)
        texts += [one.content for one in said]
        system = said[0].content if said[0].role == "system" else None
        turns = tuple(turn(_ROLES.get(one.role, ""), one.content) for one in said[bool(system) :])
        if len(turns) % 2 == 0 and turns and all(map(_alternates, turns, cycle(("user", "model")))):
            read.append(("messages", system, turns))
    return read, quotes, texts


def _alternates(one: Turn, wanted: str) -> bool:
    return one.role == wanted


class _Reader(NamedTuple):
    decode: Callable[[bytes], list[Any]]
    read: Callable[[Sequence[Any]], _Given]


_CONTENTS = _Reader(msgspec.json.Decoder(_Contents).decode_lines, _read_contents)
_OF_2023 = _Reader(msgspec.json.Decoder(_Of2023).decode_lines, _read_2023)
_MESSAGES = _Reader(msgspec.json.Decoder(_Messages).decode_lines, _read_messages)
_ROLES = {"user": "user", "assistant": "model", "model": "model"}
_BY_START = {
    b'{"con': _CONTENTS,
    b'{"sys': _CONTENTS,
    b'{"inp': _OF_2023,
    b'{"out': _OF_2023,
    b'{"mes': _MESSAGES,
}
