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


encode_lines = _JSON.encode_lines

Form = Literal["contents", "input_text", "messages"]
Read = tuple[Form, str | None, tuple[Turn, ...]]


class Columns(NamedTuple):
    """Examples of one form that are one question and one answer each."""

    form: Form
    systems: Sequence[str | None]
    prompts: Sequence[str]
    answers: Sequence[str]


def turn(role: str, text: str) -> Turn:
    return Turn(role, (Part(text),))


def exchange(prompt: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", (Part(prompt),)), Turn("model", (Part(answer),))


def quick(line: bytes) -> Read | None:
    """Form, system instruction and turns of a line that is without a doubt right; else None."""
    found, doubts = quick_lines(line, [line]) or ([], [0])
    if doubts:
        return None
    if isinstance(found, Columns):
        return found.form, found.systems[0], exchange(found.prompts[0], found.answers[0])
    return found[0]


def quick_lines(
    block: bytes, lines: Sequence[bytes]
) -> tuple[Columns | Sequence[Read], list[int]] | None:
    """The same of many lines, with the places of those in doubt; None where any may be.

    `block` holds the lines, and nothing else with a quote in it.
    """
    form = next((_BY_START[line[:5]] for line in lines if line[:5] in _BY_START), None)
    if form is None:
        return None
    bodies, doubts = _decoded(form.decode, lines)
    if (given := form.read(bodies)) is None:
        return None
    read, quotes, texts = given
    if "" in texts or any(map(str.isspace, texts)):
        return None
    there = block.count(b'"') - sum([lines[place].count(b'"') for place in doubts])
    return (read, doubts) if there == quotes or there == quotes + _in_texts(block, texts) else None


def _decoded(decode: Callable[[bytes], Any], lines: Sequence[bytes]) -> tuple[list[Any], list[int]]:
    """What the lines hold, and the places of those that are refused."""
    bodies: list[Any] = []
    refused: list[int] = []
    rest = map(decode, lines)
    while True:
        try:
            bodies.extend(rest)  # what came before the one that is refused stays
            return bodies, refused
        except (msgspec.DecodeError, UnicodeDecodeError):
            refused.append(len(bodies) + len(refused))


def _in_texts(block: bytes, texts: Sequence[str]) -> int:
    """The quotes within texts. Where there are more than these, a key is given twice."""
    if b"\\u0022" in block:
        return -1  # a quote that is not written as one
    return sum([text.count('"') for text in texts])


# What each form gives: what was read, the quotes around keys and texts, and the texts.
_Given = tuple[Columns | Sequence[Read], int, Sequence[str]]


def _read_2023(bodies: Sequence[_Of2023]) -> _Given:
    asked = [body.input_text for body in bodies]
    said = [body.output_text for body in bodies]
    return Columns("input_text", [None] * len(bodies), asked, said), 8 * len(bodies), asked + said


def _read_contents(bodies: Sequence[_Contents]) -> _Given | None:
    return _pairs_of_contents(bodies) or _turns_of_contents(bodies)


def _pairs_of_contents(bodies: Sequence[_Contents]) -> _Given | None:
    """What is most usual, column by column: two turns of one text each, and maybe a system's."""
    said = [body.contents for body in bodies]
    if {*map(len, said)} != {2}:
        return None
    asked, answers = [one[0] for one in said], [one[1] for one in said]
    if {one.role for one in asked} != {"user"} or {one.role for one in answers} != {"model"}:
        return None
    given = [body.systemInstruction for body in bodies]
    systems = [one for one in given if one]
    parts = [one.parts for some in (asked, answers, systems) for one in some]
    if {*map(len, parts)} != {1} or len(systems) not in (0, len(bodies)):
        return None
    texts, count = [part.text for (part,) in parts], len(bodies)
    quotes = 22 * count + sum([8 if one.role is UNSET else 12 for one in systems])
    instructions: Sequence[str | None] = texts[2 * count :] if systems else [None] * count
    columns = Columns("contents", instructions, texts[:count], texts[count : 2 * count])
    return columns, quotes, texts


def _turns_of_contents(bodies: Sequence[_Contents]) -> _Given | None:
    read: list[Read] = []
    quotes, texts = 0, []
    for body in bodies:
        said, system, wanted = body.contents, None, "user"
        quotes += 2
        for one in said:
            quotes += 6 + 4 * len(one.parts)
            if one.role != wanted:
                return None
            wanted = "user" if wanted == "model" else "model"
            texts += [part.text for part in one.parts]
        if given := body.systemInstruction:
            quotes += 4 + 4 * len(given.parts) + (0 if given.role is UNSET else 4)
            texts += [part.text for part in given.parts]
            system = "".join([part.text for part in given.parts])
        if wanted == "model":
            return None
        read.append(("contents", system, said))
    return read, quotes, texts


def _read_messages(bodies: Sequence[_Messages]) -> _Given | None:
    shapes = {tuple([one.role for one in body.messages]) for body in bodies}
    if len(shapes) == 1 and (shape := shapes.pop()) in _PAIRS:
        return _pairs_of_messages(bodies, len(shape))
    read: list[Read] = []
    quotes, texts = 0, []
    for body in bodies:
        said = body.messages
        quotes += 2 + 8 * len(said)
        texts += [one.content for one in said]
        system = said[0].content if said[0].role == "system" else None
        turns = tuple(turn(_ROLES.get(one.role, ""), one.content) for one in said[bool(system) :])
        if (
            len(turns) % 2
            or not turns
            or not all(map(_alternates, turns, cycle(("user", "model"))))
        ):
            return None
        read.append(("messages", system, turns))
    return read, quotes, texts


def _pairs_of_messages(bodies: Sequence[_Messages], length: int) -> _Given:
    """Each ends with a question and its answer; a third message, before them, is the system's."""
    *system, asked, said = [
        [body.messages[place].content for body in bodies] for place in range(length)
    ]
    systems: Sequence[str | None] = system[0] if system else [None] * len(bodies)
    texts = [*asked, *said, *(system[0] if system else ())]
    return Columns("messages", systems, asked, said), (2 + 8 * length) * len(bodies), texts


def _alternates(one: Turn, wanted: str) -> bool:
    return one.role == wanted


class _Reader(NamedTuple):
    decode: Callable[[bytes], Any]
    read: Callable[[Sequence[Any]], _Given | None]


_CONTENTS = _Reader(msgspec.json.Decoder(_Contents).decode, _read_contents)
_OF_2023 = _Reader(msgspec.json.Decoder(_Of2023).decode, _read_2023)
_MESSAGES = _Reader(msgspec.json.Decoder(_Messages).decode, _read_messages)
_PAIRS = {
    (*system, "user", said) for system in ((), ("system",)) for said in ("assistant", "model")
}
_ROLES = {"user": "user", "assistant": "model", "model": "model"}
_BY_START = {
    b'{"con': _CONTENTS,
    b'{"sys': _CONTENTS,
    b'{"inp': _OF_2023,
    b'{"out': _OF_2023,
    b'{"mes': _MESSAGES,
}
