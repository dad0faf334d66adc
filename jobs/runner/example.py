"""Example: one line of a dataset, in any accepted form, as what Vertex AI takes today."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, overload

from msgspec import UNSET, Struct, to_builtins
from msgspec.structs import replace

from jobs.runner import rules
from jobs.runner.forms import (
    CallPart,
    Columns,
    Conversation,
    FileData,
    FilePart,
    Form,
    Part,
    ResponsePart,
    Turn,
    encode_lines,
    exchange,
    quick,
    quick_lines,
    turn,
)
from jobs.runner.rules import Rule

_KEYS_OF_FORMS: Mapping[Form, tuple[str, ...]] = {
    "contents": ("contents",),
    "messages": ("messages",),
    "input_text": ("input_text", "output_text"),
}
_SYSTEM_KEYS = ("systemInstruction", "system_instruction")
_CONTENT_KEYS = ("contents", *_SYSTEM_KEYS, "tools")
_DEEPEST = 64  # of what `tools` and functions hold
# The keys of a part that is of a function, by whose turn it is in, and what goes in and out of it.
_FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "model": ("functionCall", "args"),
    "user": ("functionResponse", "response"),
}
_ORDER = ("name", "args", "response", "id")  # of what a function part says, as it is uploaded
_ROLES_OF_MESSAGES = {"user": "user", "assistant": "model", "model": "model"}


class BadExample(ValueError):
    """Why a line is no example; the reader adds file and line."""

    def __init__(self, rule: Rule, what: str) -> None:
        super().__init__(what)
        self.rule = rule


class Example(Struct, frozen=True, gc=False):
    """A conversation that ends with the model's turn."""

    form: Form
    system: str | None
    contents: tuple[Turn, ...]
    tools: Any = None

    @property
    def prompt(self) -> str:
        """The text of the turn that is answered."""
        return text_of(self.contents[-2])

    @property
    def answer(self) -> str:
        return text_of(self.contents[-1])

    @property
    def asked(self) -> str:
        """All that the answer answers, as text; files by their names."""
        said = [
            part.fileData.fileUri if isinstance(part, FilePart) else part.text
            for one in self.contents[:-1]
            for part in one.parts
        ]
        return asked("\0".join(said), self.system, self.tools)

    @property
    def dialogue(self) -> str:
        """All turns but the answer, as text; nothing where a file says the rest."""
        return "" if self.holds_files else "\n".join(map(text_of, self.contents[:-1]))

    @property
    def characters(self) -> int:
        said = len(self.system or "") + sum(map(len, map(text_of, self.contents)))
        return said if self.tools is None else said + len(self.declared)

    @property
    def declared(self) -> str:
        """The functions that may be called, as text."""
        return "" if self.tools is None else _ENCODER.encode(self.tools)

    @property
    def holds_functions(self) -> bool:
        """What only today's form can say."""
        return self.tools is not None or any(
            [type(part) in (CallPart, ResponsePart) for one in self.contents for part in one.parts]
        )

    @property
    def holds_files(self) -> bool:
        return any([type(part) is FilePart for one in self.contents for part in one.parts])

    def line(self) -> bytes:
        """Today's form in canonical JSON; its bytes are what is hashed, uploaded and tuned on."""
        if self.tools is None:
            return encode_lines([self._body()])
        body = {**to_builtins(self._body()), "tools": self.tools}
        return _ENCODER.encode(body).encode() + b"\n"

    def _body(self) -> Conversation:
        return Conversation(turn("system", self.system) if self.system else UNSET, self.contents)


def asked(said: str, system: str | None, tools: Any = None) -> str:
    """The turns before an answer, with what else it answers."""
    whole = f"{said}\0{system}" if system else said
    return whole if tools is None else f"{whole}\0{tools!r}"


class Pairs(Sequence[Example]):
    """Examples that are one question and one answer each, made from columns when asked for."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns.prompts)

    @property
    def form(self) -> Form:
        return self.columns.form

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        form, systems, prompts, answers = self.columns
        if isinstance(place, slice):
            return Pairs(Columns(form, systems[place], prompts[place], answers[place]))
        return Example(form, systems[place], exchange(prompts[place], answers[place]))

    def __iter__(self) -> Iterator[Example]:
        form, *columns = self.columns
        for system, prompt, answer in zip(*columns, strict=True):
            yield Example(form, system, exchange(prompt, answer))

    def __add__(self, more: "Pairs") -> "Pairs":
        """Of two that are of the same form."""
        form, systems, prompts, answers = self.columns
        _, others, asked, said = more.columns
        columns = [*systems, *others], [*prompts, *asked], [*answers, *said]
        return Pairs(Columns(form, *columns))

    def instructed(self, instructions: str) -> "Pairs | None":
        """The same with the instructions; None where one has others."""
        given = {system and system.strip() for system in {*self.columns.systems}}
        if not given <= {None, instructions.strip()}:
            return None
        return Pairs(self.columns._replace(systems=[instructions] * len(self)))

    def bodies(self) -> list[Conversation]:
        """Nothing of it in Python's own steps, which would take as long as the encoding does."""
        _, systems, prompts, answers = self.columns
        asked = map(Turn, repeat("user"), zip(map(Part, prompts), strict=True))
        said = map(Turn, repeat("model"), zip(map(Part, answers), strict=True))
        given = [turn("system", one) if one else UNSET for one in systems] if any(systems) else None
        return [*map(Conversation, given or repeat(UNSET), zip(asked, said, strict=True))]


def converted_lines(examples: Sequence[Example]) -> bytes:
    """The lines of many examples, one after another."""
    if isinstance(examples, Pairs):
        return encode_lines(examples.bodies())
    if any([example.tools is not None for example in examples]):
        return b"".join([example.line() for example in examples])
    return encode_lines([example._body() for example in examples])


def paired(examples: Sequence[Example]) -> Sequence[Example]:
    """The same as columns, where they are pairs of one form."""
    forms = {one.form for one in examples}
    if len(forms) != 1 or not all(map(_is_pair, examples)):
        return examples
    return Pairs(
        Columns(
            forms.pop(),
            [one.system for one in examples],
            [one.prompt for one in examples],
            [one.answer for one in examples],
        )
    )


def _is_pair(one: Example) -> bool:
    parts = [part for said in one.contents for part in said.parts]
    plain = all(type(part) is Part for part in parts)
    return plain and len(one.contents) == len(parts) == 2 and one.tools is None


def joined(some: Sequence[Example], more: Sequence[Example]) -> Sequence[Example]:
    """Both; columns where they can stay columns."""
    if not some or not more:
        return some or more
    if isinstance(some, Pairs) and isinstance(more, Pairs) and some.form == more.form:
        return some + more
    return [*some, *more]


def text_of(said: Turn) -> str:
    if len(said.parts) == 1 and type(part := said.parts[0]) is Part:
        return part.text
    return "".join([part.text for part in said.parts if not isinstance(part, FilePart)])


def parse(line: bytes, instructions: str | None) -> Example:
    """The example on a line; `instructions` becomes its system instruction.

    Accepts today's form, the form of 2023 and chat messages. Raises BadExample.
    https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
    https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/tune-function-calling
    """
    if read := quick(line):
        return _instructed(Example(*read), instructions)
    body = _object(line)
    return _instructed(_FROM[_form(body)](body), instructions)


def parse_all(
    block: bytes, lines: Sequence[bytes], instructions: str | None
) -> tuple[Sequence[Example], list[int]] | None:
    """The examples of many lines at once, and the places of lines to be parsed one by one.

    None where any line may be such a one. `block` holds the lines.
    """
    if (found := quick_lines(block, lines)) is None:
        return None
    read, doubts = found
    if isinstance(read, Columns):
        examples = Pairs(read) if instructions is None else Pairs(read).instructed(instructions)
        return None if examples is None else (examples, doubts)
    try:
        return [_instructed(Example(*one), instructions) for one in read], doubts
    except BadExample:
        return None


def _form(body: Mapping[str, Any]) -> Form:
    forms = [form for form, keys in _KEYS_OF_FORMS.items() if any(key in body for key in keys)]
    if not forms:
        raise BadExample(
            rules.UNKNOWN_FORM,
            'has none of "contents" (today\'s form), "input_text" (2023), "messages" (chat)',
        )
    if len(forms) > 1:
        raise BadExample(rules.MIXED_FORM, f'has both "{forms[0]}" and "{forms[1]}"; keep one')
    return forms[0]


def _object(line: bytes) -> dict[str, Any]:
    if 0 in line:
        place = line.index(0) + 1
        raise BadExample(rules.NUL, f"holds a NUL byte at byte {place}; save the file as UTF-8")
    try:
        body = _DECODER.decode(line.decode())
        if b"\\u" in line:  # the one way to half of a surrogate pair
            _ENCODER.encode(body).encode()
    except UnicodeDecodeError as error:
        raise BadExample(
            rules.NOT_UTF8, f"is not UTF-8 at byte {error.start + 1}; save the file as UTF-8"
        ) from None
    except UnicodeEncodeError:
        raise BadExample(
            rules.LONE_SURROGATE, "holds half of a surrogate pair (\\ud8…); remove it"
        ) from None
    except json.JSONDecodeError as error:
        raise BadExample(
            rules.NOT_JSON, f"is not JSON: {error.msg} at column {error.colno}"
        ) from None
    except RecursionError:
        raise BadExample(rules.TOO_DEEP, "is nested too deeply") from None
    except BadExample:
        raise
    except ValueError:  # the interpreter converts no integer of thousands of digits
        raise BadExample(rules.BAD_NUMBER, "holds a number that is too long") from None
    if not isinstance(body, dict):
        raise BadExample(rules.NO_OBJECT, "is not a JSON object")
    return body


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key given twice would silently lose its first value."""
    body = dict(pairs)
    if len(body) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise BadExample(rules.DUPLICATE_KEY, f'has the key "{key[:40]}" twice')
            seen.add(key)
    return body


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise BadExample(rules.BAD_NUMBER, "holds a number that is too large")
    return number


def _no_number(text: str) -> None:
    raise BadExample(rules.BAD_NUMBER, f"holds {text}, which is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_number)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _from_contents(body: dict[str, Any]) -> Example:
    _no_other_keys(body, _CONTENT_KEYS)
    turns = body["contents"]
    if not isinstance(turns, list) or not turns:
        raise BadExample(rules.MISSING, '"contents" must be a list of turns')
    contents = tuple(_turn(item, f"contents[{i}]") for i, item in enumerate(turns))
    _alternate([item.role for item in contents])
    tools = body.get("tools")
    return Example("contents", _system(body), contents, None if tools is None else _tools(tools))


def _tools(tools: Any) -> Any:
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise BadExample(rules.TOOLS, '"tools" must be a list of objects')
    return _shallow(tools, '"tools"')


def _shallow(value: Any, where: str) -> Any:
    level = [*_children(value)]
    for _ in range(_DEEPEST):
        level = [child for item in level for child in _children(item)]
    if level:
        raise BadExample(rules.TOO_DEEP, f"{where} is nested too deeply")
    return _sorted(value)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _sorted(value: Any) -> Any:
    """JSON whose keys are in order, so that their order makes no other example."""
    return json.loads(json.dumps(value, sort_keys=True))


def _system(body: dict[str, Any]) -> str | None:
    """The text of the system instruction; its role is ignored, as the service does."""
    given = [key for key in _SYSTEM_KEYS if body.get(key) is not None]
    if len(given) > 1:
        raise BadExample(rules.SYSTEM, f'has both "{given[0]}" and "{given[1]}"; keep one')
    if not given:
        return None
    value = body[given[0]]
    _no_other_keys(value if isinstance(value, dict) else {}, ("role", "parts"), given[0])
    parts = value.get("parts") if isinstance(value, dict) else None
    if not isinstance(parts, list) or not all(map(_is_text, parts)):
        raise BadExample(
            rules.SYSTEM, f'{given[0]} must be an object whose "parts" are {{"text": "…"}}'
        )
    text = "".join(part["text"] for part in parts)
    if not text.strip():
        raise BadExample(rules.EMPTY_TURN, f"{given[0]} is empty")
    return text


def _turn(item: Any, where: str) -> Turn:
    if not isinstance(item, dict):
        raise BadExample(rules.MISSING, f'{where} must be an object with "role" and "parts"')
    _no_other_keys(item, ("role", "parts"), where)
    role, parts = item.get("role"), item.get("parts")
    if role in (None, "function") and isinstance(parts, list) and parts:
        # What functions gave comes from the user's side, and is written without a role as well.
        role = (
            "user" if all(isinstance(p, dict) and "functionResponse" in p for p in parts) else role
        )
    if role not in ("user", "model"):
        raise BadExample(
            rules.ROLE, f'{where}.role is {_shown(role)}; it must be "user" or "model"'
        )
    if not isinstance(parts, list) or not parts:
        raise BadExample(rules.MISSING, f"{where}.parts must be a list with at least one part")
    for index, part in enumerate(parts):
        known = _is_text(part) or _is_function(part, role) or (role == "user" and _is_file(part))
        if not known:
            raise _bad_part(part, role, f"{where}.parts[{index}]")
    if not any("text" not in part or part["text"].strip() for part in parts):
        raise BadExample(rules.EMPTY_TURN, f"{where} is empty")
    return Turn(role, tuple(_part(part, f"{where}.parts[{n}]") for n, part in enumerate(parts)))


def _part(part: Mapping[str, Any], where: str) -> Part | FilePart | CallPart | ResponsePart:
    if "text" in part:
        return Part(part["text"])
    if "fileData" in part:
        return FilePart(FileData(**part["fileData"]))
    ((kind, function),) = part.items()
    body = {key: _shallow(function[key], where) for key in _ORDER if key in function}
    return CallPart(body) if kind == "functionCall" else ResponsePart(body)


def _bad_part(part: Any, role: str, where: str) -> BadExample:
    rule = rules.FILE_PART if isinstance(part, dict) and "fileData" in part else rules.PART
    kinds = '{"text": "…"}'
    kind, value = _FUNCTIONS[role]
    if isinstance(part, dict) and kind in part:
        kinds = f'{{"{kind}": {{"name": "…", "{value}": {{…}}}}}}'
    elif role == "user":
        kinds += ' or {"fileData": {"mimeType": "…", "fileUri": "gs://…"}}'
    return BadExample(rule, f"{where} must be {kinds}")


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and set(part) == {"text"} and isinstance(part["text"], str)


def _is_function(part: Any, role: str) -> bool:
    kind, value = _FUNCTIONS[role]
    if not isinstance(part, dict) or set(part) != {kind}:
        return False
    function = part[kind]
    return (
        isinstance(function, dict)
        and {"name"} <= set(function) <= {"name", value, "id"}
        and isinstance(function["name"], str)
        and bool(function["name"].strip())
        and isinstance(function.get(value, {}), dict)
        and isinstance(function.get("id", ""), str)
    )


def _is_file(part: Any) -> bool:
    if not isinstance(part, dict) or set(part) != {"fileData"}:
        return False
    file = part["fileData"]
    return (
        isinstance(file, dict)
        and set(file) == {"mimeType", "fileUri"}
        and all(isinstance(value, str) for value in file.values())
        and file["fileUri"].startswith("gs://")
    )


def _alternate(roles: list[str]) -> None:
    expected = ["user", "model"] * (len(roles) // 2 + 1)
    for index, (role, wanted) in enumerate(zip(roles, expected, strict=False)):
        if role != wanted:
            raise BadExample(
                rules.ORDER, f"turn {index + 1} is the {role}'s; turns alternate, the user's first"
            )
    if roles[-1] != "model":
        raise BadExample(rules.LAST_TURN, "the last turn must be the model's: it is what is learnt")


def _from_2023(body: dict[str, Any]) -> Example:
    _no_other_keys(body, {"input_text", "output_text"})
    for key in ("input_text", "output_text"):
        if not isinstance(body.get(key), str) or not body[key].strip():
            rule = rules.EMPTY_TURN if isinstance(body.get(key), str) else rules.MISSING
            raise BadExample(rule, f'"{key}" is missing or empty')
    contents = (turn("user", body["input_text"]), turn("model", body["output_text"]))
    return Example("input_text", None, contents)


def _from_messages(body: dict[str, Any]) -> Example:
    _no_other_keys(body, {"messages"})
    messages = body["messages"]
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise BadExample(
            rules.MISSING, '"messages" must be a list of objects with "role" and "content"'
        )
    system = None
    contents = []
    for index, message in enumerate(messages):
        _no_other_keys(message, {"role", "content"}, f"messages[{index}]")
        text, role = message.get("content"), message.get("role")
        if not isinstance(text, str) or not text.strip():
            what = "is missing or empty" if not text or isinstance(text, str) else "must be text"
            rule = rules.EMPTY_TURN if isinstance(text, str) else rules.MISSING
            raise BadExample(rule, f"messages[{index}].content {what}")
        if role == "system" and index == 0:
            system = text
        elif role in _ROLES_OF_MESSAGES:
            contents.append(turn(_ROLES_OF_MESSAGES[role], text))
        else:
            raise BadExample(
                rules.ROLE,
                f"messages[{index}].role is {_shown(role)}; it must be user or assistant,"
                " the first may be system",
            )
    if not contents:
        raise BadExample(rules.MISSING, '"messages" holds no turn of a user')
    _alternate([item.role for item in contents])
    return Example("messages", system, tuple(contents))


_FROM: Mapping[Form, Callable[[dict[str, Any]], Example]] = {
    "contents": _from_contents,
    "messages": _from_messages,
    "input_text": _from_2023,
}


def _instructed(example: Example, instructions: str | None) -> Example:
    if instructions is None:
        return example
    if example.system is not None and example.system.strip() != instructions.strip():
        raise BadExample(
            rules.TWO_INSTRUCTIONS,
            "has a system instruction, and the spec's `instructions` another; keep one",
        )
    return replace(example, system=instructions)


def _no_other_keys(body: Mapping[str, Any], known: Iterable[str], where: str = "") -> None:
    if unknown := sorted(set(body) - set(known)):
        raise BadExample(
            rules.UNKNOWN_KEY,
            f'{where + " " if where else ""}has the unknown key "{unknown[0][:40]}"',
        )


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:40]
