"""Prompts: what generateContent and countTokens are asked, checked as the service checks it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.trainer.base import Conversation, Turn
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.files import FileError, Files

_ROLES = {"": "user", "user": "user", "function": "user", "model": "model"}
_FUNCTIONS = ("function_call", "function_response")
_MOST_STOP_SEQUENCES = 5


@dataclass(frozen=True)
class Generation:
    max_tokens: int
    temperature: float
    seed: int
    stop_sequences: tuple[str, ...]


def read_prompt(body: Fields, files: Files, *, answerable: bool = True) -> Conversation:
    """`answerable`: the model has to speak next."""
    contents = body.messages("contents")
    if not contents:
        raise _refusal("contents", "contents is not specified")
    turns = tuple(_turn(content, files) for content in contents)
    if answerable and turns[-1].role != "user":
        raise _refusal("contents", "Please ensure that multiturn requests end with a user role.")
    system = None
    if "system_instruction" in body:
        system = _text(body.message("system_instruction"), files)
    tools = body.json("tools") if "tools" in body else None
    return Conversation(declared(system, tools), turns, tuple(_types(contents)))


def declared(system: str | None, tools: str | None) -> str | None:
    """A system instruction, and after it the functions that may be called."""
    return "\n".join(filter(None, (system, tools))) if tools else system


def read_generation(body: Fields, longest: int) -> Generation:
    config = body.message("generation_config")
    max_tokens, seed = config.integer("max_output_tokens"), config.integer("seed")
    temperature = config.number("temperature")
    if max_tokens is not None and max_tokens < 1:
        raise _refusal(config.path("max_output_tokens"), "must be at least 1")
    if temperature is not None and not 0 <= temperature <= 2:
        raise _refusal(config.path("temperature"), "must be between 0 and 2")
    stops = tuple(config.texts("stop_sequences"))
    if len(stops) > _MOST_STOP_SEQUENCES or "" in stops:
        raise _refusal(
            config.path("stop_sequences"), f"at most {_MOST_STOP_SEQUENCES}, none of them empty"
        )
    return Generation(
        min(max_tokens or longest, longest),
        0.0 if temperature is None else temperature,
        seed or 0,
        stops,
    )


def _types(contents: Iterable[Fields]) -> Iterator[str]:
    for content in contents:
        for part in content.messages("parts"):
            if "file_data" in part and not any(name in part for name in ("text", *_FUNCTIONS)):
                yield part.message("file_data").text("mime_type")


def _turn(content: Fields, files: Files) -> Turn:
    role = content.text("role")
    if role not in _ROLES:
        raise _refusal(content.path("role"), "Please use a valid role: user, model.")
    return Turn(_ROLES[role], _text(content, files))


def _text(content: Fields, files: Files) -> str:
    parts = content.messages("parts")
    if not parts:
        raise _refusal(content.path("parts"), "must include at least one parts field")
    return "".join(_said(part, files) for part in parts)


def _said(part: Fields, files: Files) -> str:
    if "text" in part:
        return part.text("text")
    if function := next((name for name in _FUNCTIONS if name in part), None):
        return part.json(function)
    if "file_data" in part:
        return _file(part.message("file_data"), files)
    raise rpc_error(
        "UNIMPLEMENTED", f"The emulator takes texts and fileData only, and {part.path('')} is none."
    )


def _file(data: Fields, files: Files) -> str:
    try:
        return files.said(data.text("mime_type"), data.text("file_uri"))
    except FileError as error:
        raise _refusal(data.path("file_uri"), str(error)) from None


def _refusal(field: str, fault: str) -> ApiError:
    return rpc_error(
        "INVALID_ARGUMENT",
        f"Unable to submit request because {field}: {fault}",
        violations={field: fault},
    )
