"""Datasets as tuning reads them: JSON Lines to conversations, and why an example was dropped."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.emulator.trainer.base import Conversation, Turn
from jobs.emulator.vertex.fields import as_json, is_text
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
    lines: Iterable[bytes], uri: str, count_tokens: CountTokens, context_tokens: int
) -> Examples:
    conversations: dict[int, Conversation] = {}
    dropped: dict[int, str] = {}
    for index, value in _objects(lines, uri):
        try:
            conversations[index] = conversation(value)
        except ExampleError as error:
            dropped[index] = str(error)
    kept = _measured(conversations.values(), count_tokens)
    fitting = []
    for index, example in zip(conversations, kept, strict=True):
        if example.tokens > context_tokens:
            dropped[index] = (
                f"The example has {example.tokens} tokens, more than the {context_tokens}"
                " the local trainer takes."
            )
        else:
            fitting.append(example)
    return Examples(tuple(fitting), dict(sorted(dropped.items())))


def conversation(value: Mapping[str, Any]) -> Conversation:
    """An example in the service's own form: contents, perhaps a system instruction and tools."""
    contents = value.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ExampleError("The example has no contents.")
    turns = tuple(_turn(content) for content in contents)
    if turns[-1].role != "model" or not turns[-1].text:
        raise ExampleError("The last content must be the model's, with text.")
    if len(turns) < 2:
        raise ExampleError("The example has no content of the user.")
    system = value.get("systemInstruction", value.get("system_instruction"))
    return Conversation(declared(None if system is None else _text(system), _tools(value)), turns)


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


def _turn(content: object) -> Turn:
    role = content.get("role") if isinstance(content, dict) else None
    if role not in ("user", "model"):
        raise ExampleError(f"The role must be user or model, not {str(role)[:20]!r}.")
    return Turn(role, _text(content))


def _text(content: object) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise ExampleError("A content has no parts.")
    texts = [_said(part) if isinstance(part, dict) else None for part in parts]
    if not all(map(is_text, texts)):
        raise ExampleError("A part is not text; the local trainer reads text only.")
    return "".join(map(str, texts))


def _said(part: Mapping[str, Any]) -> object:
    """Its text, or the function it calls or answers for as JSON."""
    functions = [part[name] for name in _FUNCTIONS if isinstance(part.get(name), dict)]
    return as_json(functions[0]) if functions else part.get("text")


def _measured(conversations: Iterable[Conversation], count: CountTokens) -> list[Example]:
    wholes = list(conversations)
    prompts = [Conversation(whole.system, whole.turns[:-1]) for whole in wholes]
    counts = count([*wholes, *prompts])
    return [
        Example(whole, input_tokens, max(0, tokens - input_tokens))
        for whole, tokens, input_tokens in zip(
            wholes, counts[: len(wholes)], counts[len(wholes) :], strict=True
        )
    ]
