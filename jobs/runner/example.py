"""Example: one line of a dataset, in any accepted form, as what Vertex AI takes today."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["contents", "input_text", "messages"]

_CONTENT_KEYS = {"contents", "systemInstruction", "system_instruction", "tools"}
_ROLES_OF_MESSAGES = {"user": "user", "assistant": "model", "model": "model"}


class BadExample(ValueError):
    """Why a line is no example; the reader adds file and line."""


@dataclass(frozen=True)
class Example:
    """A conversation that ends with the model's turn; texts only in `prompt` and `answer`."""

    form: Form
    system: str | None
    contents: tuple[Mapping[str, Any], ...]
    tools: Any = None

    @property
    def prompt(self) -> str:
        """The text of the turn that is answered."""
        return text_of(self.contents[-2])

    @property
    def answer(self) -> str:
        return text_of(self.contents[-1])

    @property
    def characters(self) -> int:
        return len(self.system or "") + sum(len(text_of(turn)) for turn in self.contents)

    def line(self) -> bytes:
        """Today's form in canonical JSON; its bytes are what is hashed, uploaded and tuned on."""
        body: dict[str, Any] = {}
        if self.system:
            body["systemInstruction"] = system_instruction(self.system)
        body["contents"] = self.contents
        if self.tools is not None:
            body["tools"] = self.tools
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def system_instruction(text: str) -> dict[str, Any]:
    return {"role": "system", "parts": [{"text": text}]}


def turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def text_of(content: Mapping[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content["parts"])


def parse(line: bytes, instructions: str | None) -> Example:
    """The example on a line; `instructions` becomes its system instruction.

    Accepts today's form, the form of 2023 and chat messages. Raises BadExample.
    https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
    """
    body = _object(line)
    if "contents" in body:
        example = _from_contents(body)
    elif "messages" in body:
        example = _from_messages(body)
    elif "input_text" in body or "output_text" in body:
        example = _from_2023(body)
    else:
        raise BadExample(
            'has none of "contents" (today\'s form), "input_text" (2023), "messages" (chat)'
        )
    return _instructed(example, instructions)


def _object(line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line.decode())
        line_is_writable = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise BadExample(
            f"is not UTF-8 at byte {error.start + 1}; save the file as UTF-8"
        ) from None
    except UnicodeEncodeError:
        raise BadExample("holds half of a surrogate pair (\\ud8…); remove it") from None
    except json.JSONDecodeError as error:
        raise BadExample(f"is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise BadExample("is nested too deeply") from None
    except ValueError as error:
        raise BadExample(f"is not JSON: {error}") from None
    if not isinstance(body, dict) or not line_is_writable:
        raise BadExample("is not a JSON object")
    return body


def _from_contents(body: dict[str, Any]) -> Example:
    _no_other_keys(body, _CONTENT_KEYS)
    turns = body["contents"]
    if not isinstance(turns, list) or not turns:
        raise BadExample('"contents" must be a list of turns')
    contents = tuple(_turn(item, f"contents[{i}]") for i, item in enumerate(turns))
    _alternate([item["role"] for item in contents])
    system = body.get("systemInstruction", body.get("system_instruction"))
    text = (
        None
        if system is None
        else text_of(_turn({"role": "user", **_mapping(system)}, "systemInstruction"))
    )
    return Example("contents", text or None, contents, body.get("tools"))


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadExample('"systemInstruction" must be an object with "parts"')
    return {**value, "role": "user"}


def _turn(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadExample(f'{where} must be an object with "role" and "parts"')
    _no_other_keys(item, {"role", "parts"}, where)
    role, parts = item.get("role"), item.get("parts")
    if role not in ("user", "model"):
        raise BadExample(f'{where}.role is {_shown(role)}; it must be "user" or "model"')
    if not isinstance(parts, list) or not parts:
        raise BadExample(f"{where}.parts must be a list with at least one part")
    checked = [_part(part, f"{where}.parts[{i}]") for i, part in enumerate(parts)]
    if not any(part.get("text", "").strip() or "fileData" in part for part in checked):
        raise BadExample(f"{where} is empty")
    return {"role": role, "parts": checked}


def _part(part: Any, where: str) -> dict[str, Any]:
    if isinstance(part, dict) and set(part) == {"text"} and isinstance(part["text"], str):
        return {"text": part["text"]}
    if isinstance(part, dict) and set(part) == {"fileData"} and isinstance(part["fileData"], dict):
        return {"fileData": part["fileData"]}
    raise BadExample(f'{where} must be {{"text": "…"}} or {{"fileData": {{…}}}}')


def _alternate(roles: list[str]) -> None:
    expected = ["user", "model"] * (len(roles) // 2 + 1)
    for index, (role, wanted) in enumerate(zip(roles, expected, strict=False)):
        if role != wanted:
            raise BadExample(f"turn {index + 1} is the {role}'s; turns alternate, the user's first")
    if roles[-1] != "model":
        raise BadExample("the last turn must be the model's: it is what is learnt")


def _from_2023(body: dict[str, Any]) -> Example:
    _no_other_keys(body, {"input_text", "output_text"})
    for key in ("input_text", "output_text"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            raise BadExample(f'"{key}" is missing or empty')
    contents = (turn("user", body["input_text"]), turn("model", body["output_text"]))
    return Example("input_text", None, contents)


def _from_messages(body: dict[str, Any]) -> Example:
    _no_other_keys(body, {"messages"})
    messages = body["messages"]
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise BadExample('"messages" must be a list of objects with "role" and "content"')
    system = None
    contents = []
    for index, message in enumerate(messages):
        _no_other_keys(message, {"role", "content"}, f"messages[{index}]")
        text, role = message.get("content"), message.get("role")
        if not isinstance(text, str) or not text.strip():
            raise BadExample(f"messages[{index}].content is missing or empty")
        if role == "system" and index == 0:
            system = text
        elif role in _ROLES_OF_MESSAGES:
            contents.append(turn(_ROLES_OF_MESSAGES[role], text))
        else:
            raise BadExample(
                f"messages[{index}].role is {_shown(role)}; it must be user or assistant,"
                " the first may be system"
            )
    if not contents:
        raise BadExample('"messages" holds no turn of a user')
    _alternate([item["role"] for item in contents])
    return Example("messages", system, tuple(contents))


def _instructed(example: Example, instructions: str | None) -> Example:
    if instructions is None:
        return example
    if example.system is not None and example.system.strip() != instructions.strip():
        raise BadExample(
            "has a system instruction, and the spec's `instructions` another; keep one"
        )
    return Example(example.form, instructions, example.contents, example.tools)


def _no_other_keys(body: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
    if unknown := sorted(set(body) - set(known)):
        raise BadExample(f'{where + " " if where else ""}has the unknown key "{unknown[0][:40]}"')


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:40]
