"""Datasets as tuning reads them: JSON Lines to conversations, and why an example was dropped."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.emulator.trainer.base import Conversation, Turn
from jobs.emulator.vertex.fields import as_json, is_text
from jobs.emulator.vertex.files import FileError, Files, tokens
from jobs.emulator.vertex.prompts import declared

_FUNCTIONS = ("functionCall", "functionResponse")

CountTokens = Callable[[Sequence[Conversation]], list[int]]


class DatasetError(Exception):
    """A fault of the whole dataset; it ends the job."""


class ExampleError(Exception):
    """A fault of one example; it is left out."""


@dataclass(frozen=True)
class Example:
    conversation: Conversation
    input_tokens: int
    output_tokens: int

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def read(self) -> int:
        """The tokens that the trainer reads, which are those of text."""
        return self.tokens - tokens(self.conversation.files)

    @property
    def characters(self) -> int:
        turns = sum(len(turn.text) for turn in self.conversation.turns)
        return turns + len(self.conversation.system or "")


@dataclass(frozen=True)
class Examples:
    kept: tuple[Example, ...]
    dropped: Mapping[int, str]  # place in the file, counted from 1, to reason

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        return tuple(example.conversation for example in self.kept)


def read_examples(
    lines: Iterable[bytes],
    uri: str,
    count_tokens: CountTokens,
    context_tokens: int,
    files: Files,
) -> Examples:
    conversations: dict[int, Conversation] = {}
    dropped: dict[int, str] = {}
    for index, value in _objects(lines, uri):
        try:
            conversations[index] = conversation(value, files)
        except ExampleError as error:
            dropped[index] = str(error)
    kept = _measured(conversations.values(), count_tokens)
    fitting = []
    for index, example in zip(conversations, kept, strict=True):
        if example.read > context_tokens:
            dropped[index] = (
                f"The example has {example.read} tokens, more than the {context_tokens}"
                " the local trainer takes."
            )
        else:
            fitting.append(example)
    return Examples(tuple(fitting), dict(sorted(dropped.items())))


def conversation(value: Mapping[str, Any], files: Files) -> Conversation:
    """An example in the service's own form: contents, perhaps a system instruction and tools."""
    contents = value.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ExampleError("The example has no contents.")
    turns = tuple(_turn(content, files) for content in contents)
    if turns[-1].role != "model" or not turns[-1].text:
        raise ExampleError("The last content must be the model's, with text.")
    if len(turns) < 2:
        raise ExampleError("The example has no content of the user.")
    system = value.get("systemInstruction", value.get("system_instruction"))
    said = None if system is None else _text(system, files)
    return Conversation(declared(said, _tools(value)), turns, tuple(_types(contents)))


def _types(contents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for content in contents:
        for part in content["parts"]:
            if data := _data(part):
                yield data["mimeType"]


def _tools(value: Mapping[str, Any]) -> str | None:
    tools = value.get("tools")
    if tools is None:
        return None
    if not isinstance(tools, list) or not is_text(text := as_json(tools)):
        raise ExampleError("The tools are not a list of declarations.")
    return text


def _objects(lines: Iterable[bytes], uri: str) -> Iterator[tuple[int, dict[str, Any]]]:
    index = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        index += 1
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise DatasetError(f"Line {number} of {uri} is not valid JSON.") from None
        if not isinstance(value, dict):
            raise DatasetError(f"Line {number} of {uri} is not a JSON object.")
        yield index, value


def _turn(content: object, files: Files) -> Turn:
    role = content.get("role") if isinstance(content, dict) else None
    if role not in ("user", "model"):
        raise ExampleError(f"The role must be user or model, not {str(role)[:20]!r}.")
    return Turn(role, _text(content, files))


def _text(content: object, files: Files) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise ExampleError("A content has no parts.")
    texts = [_said(part, files) if isinstance(part, dict) else None for part in parts]
    if not all(map(is_text, texts)):
        raise ExampleError("A part is neither text nor fileData, which is all the trainer takes.")
    return "".join(map(str, texts))


def _said(part: Mapping[str, Any], files: Files) -> object:
    """Its text, or the function it calls or answers for as JSON, or what a file is called."""
    functions = [part[name] for name in _FUNCTIONS if isinstance(part.get(name), dict)]
    if functions:
        return as_json(functions[0])
    return _file(data, files) if (data := _data(part)) else part.get("text")


def _data(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The file that it names, if that is all."""
    data = None if {"text", *_FUNCTIONS} & {*part} else part.get("fileData")
    return data if isinstance(data, dict) and data else None


def _file(data: Mapping[str, Any], files: Files) -> str:
    found = [data.get(name) for name in ("mimeType", "fileUri")]
    if not all(map(is_text, found)):
        raise ExampleError("A fileData has no mimeType or no fileUri.")
    try:
        return files.said(*map(str, found))
    except FileError as error:
        raise ExampleError(str(error)) from None


def _measured(conversations: Iterable[Conversation], count: CountTokens) -> list[Example]:
    wholes = list(conversations)
    prompts = [Conversation(whole.system, whole.turns[:-1]) for whole in wholes]
    counts = count([*wholes, *prompts])
    return [
        Example(whole, asked + tokens(whole.files), max(0, both - asked))
        for whole, both, asked in zip(
            wholes, counts[: len(wholes)], counts[len(wholes) :], strict=True
        )
    ]
