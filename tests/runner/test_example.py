"""Examples: three forms, one meaning, and no line that does anything but convert or be refused."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.runner.example import BadExample, Example, parse

USER = {"role": "user", "parts": [{"text": "Which topic?"}]}
MODEL = {"role": "model", "parts": [{"text": "sports"}]}


def line(value: Any) -> bytes:
    return json.dumps(value).encode()


def why(value: Any, instructions: str | None = None) -> str:
    with pytest.raises(BadExample) as caught:
        parse(value if isinstance(value, bytes) else line(value), instructions)
    return str(caught.value)


def content(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


# Forms


def test_three_forms_of_one_meaning_become_the_same_bytes() -> None:
    system = {"parts": [{"text": "Be brief."}]}
    forms = [
        parse(line({"contents": [USER, MODEL], "systemInstruction": system}), None),
        parse(line({"contents": [USER, MODEL], "system_instruction": system}), None),
        parse(line({"contents": [USER, MODEL]}), "Be brief."),
        parse(line({"input_text": "Which topic?", "output_text": "sports"}), "Be brief."),
        parse(
            line(
                {
                    "messages": [
                        {"role": "system", "content": "Be brief."},
                        {"role": "user", "content": "Which topic?"},
                        {"role": "assistant", "content": "sports"},
                    ]
                }
            ),
            None,
        ),
    ]
    assert {form.line() for form in forms} == {
        b'{"systemInstruction":{"role":"system","parts":[{"text":"Be brief."}]},"contents":'
        b'[{"role":"user","parts":[{"text":"Which topic?"}]},'
        b'{"role":"model","parts":[{"text":"sports"}]}]}\n'
    }
    assert [form.form for form in forms] == ["contents"] * 3 + ["input_text", "messages"]


def test_what_was_converted_is_converted_into_itself() -> None:
    once = parse(line({"input_text": "a\nb — ü", "output_text": " c "}), "Name it.")
    assert parse(once.line(), "Name it.").line() == once.line()
    assert parse(once.line(), None).line() == once.line()


def test_the_order_of_keys_makes_no_other_example() -> None:
    file = {"mimeType": "text/plain", "fileUri": "gs://b/o"}
    tools = [{"name": "t", "about": {"x": 1, "y": [{"b": 1, "a": 2}]}}]
    one = {"contents": [content({"fileData": file}), MODEL], "tools": tools}
    other = json.dumps(one, sort_keys=True)
    assert other.encode() != line(one)
    assert parse(other.encode(), None).line() == parse(line(one), None).line()


def test_what_tools_hold_is_kept() -> None:
    tools = [{"a": 0.5, "b": [1, -2e3, None, True, "é"], "c": {}}]
    found = parse(line({"contents": [USER, MODEL], "tools": tools}), None)
    assert json.loads(found.line())["tools"] == tools


CALL = {"functionCall": {"name": "stock", "args": {"shop": "é", "at": 2}}}
GAVE = {"functionResponse": {"name": "stock", "response": {"left": 3}}}


@pytest.mark.parametrize("role", [{"role": "user"}, {"role": "function"}, {}])
def test_functions_are_called_and_answer_from_the_users_side(role: dict[str, str]) -> None:
    turns = [USER, content(CALL, role="model"), {**role, "parts": [GAVE]}, MODEL]
    tools = [{"functionDeclarations": [{"name": "stock"}]}]
    found = parse(line({"contents": turns, "tools": tools}), None)
    contents = json.loads(found.line())["contents"]
    assert [turn["role"] for turn in contents] == ["user", "model", "user", "model"]
    assert contents[1]["parts"] == [CALL]
    assert contents[2]["parts"] == [GAVE]
    assert parse(found.line(), None).line() == found.line()
    assert found.prompt == '{"name":"stock","response":{"left":3}}'
    said = "Which topic?" + '{"name":"stock","args":{"at":2,"shop":"é"}}' + found.prompt + "sports"
    assert found.characters == len(said + '[{"functionDeclarations":[{"name":"stock"}]}]')


def test_a_call_may_be_the_answer_whatever_the_order_of_its_arguments() -> None:
    first = parse(line({"contents": [USER, content(CALL, role="model")]}), None)
    turned = {"functionCall": {"args": {"at": 2, "shop": "é"}, "name": "stock"}}
    assert parse(line({"contents": [USER, content(turned, role="model")]}), None) == first
    assert first.answer == '{"name":"stock","args":{"at":2,"shop":"é"}}'
    assert first.holds_functions


@pytest.mark.parametrize(
    ("role", "part", "kinds"),
    [
        ("model", GAVE, '{"text": "…"}'),
        ("user", CALL, '{"text": "…"} or {"fileData": {"mimeType": "…", "fileUri": "gs://…"}}'),
        ("model", {"functionCall": {}}, '{"functionCall": {"name": "…", "args": {…}}}'),
        (
            "model",
            {"functionCall": {"name": "f", "args": "{}"}},
            '{"functionCall": {"name": "…", "args": {…}}}',
        ),
        (
            "user",
            {"functionResponse": {"name": "f", "result": {}}},
            '{"functionResponse": {"name": "…", "response": {…}}}',
        ),
    ],
)
def test_a_function_is_named_by_who_calls_it(role: str, part: dict[str, Any], kinds: str) -> None:
    turns = [content(part), MODEL] if role == "user" else [USER, content(part, role="model")]
    place = 0 if role == "user" else 1
    assert why({"contents": turns}) == f"contents[{place}].parts[0] must be {kinds}"


def test_arguments_may_not_be_nested_without_end() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    call = {"functionCall": {"name": "f", "args": {"a": deep}}}
    said = "contents[1].parts[0] is nested too deeply"
    assert why({"contents": [USER, content(call, role="model")]}) == said


def test_prompt_and_answer_are_the_last_two_turns() -> None:
    turns = [USER, MODEL, content({"text": "And "}, {"text": "this?"}), MODEL]
    found = parse(line({"contents": turns}), "Be brief.")
    assert (found.prompt, found.answer, found.system) == ("And this?", "sports", "Be brief.")
    assert found.characters == len("Be brief." + "Which topic?sports" + "And this?" + "sports")


def test_files_are_noticed() -> None:
    file = {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://b/o.pdf"}}
    assert parse(line({"contents": [content(file), MODEL]}), None).holds_files
    assert not parse(line({"contents": [USER, MODEL]}), None).holds_files


# Instructions


def test_the_same_instruction_in_spec_and_data_is_one() -> None:
    value = {"contents": [USER, MODEL], "systemInstruction": {"parts": [{"text": "Be brief.\n"}]}}
    assert parse(line(value), "Be brief.").system == "Be brief."


def test_two_instructions_are_refused() -> None:
    value = {"contents": [USER, MODEL], "systemInstruction": {"parts": [{"text": "Be long."}]}}
    assert "keep one" in why(value, "Be brief.")


# Refusals


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not JSON: Expecting value at column 1"),
        (b"x", "is not JSON: Expecting value at column 1"),
        (b'{"a": 1', "is not JSON: Expecting ',' delimiter at column 8"),
        (b'{"a": 1} {"b": 2}', "is not JSON: Extra data at column 10"),
        (b"[1]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'"text"', "is not a JSON object"),
        (b"\xef\xbb\xbf{}", "is not JSON: Expecting value at column 1"),
        (b'{"input_text": "\xff"}', "is not UTF-8 at byte 17; save the file as UTF-8"),
        (b'{"input_text": NaN}', "holds NaN, which is no JSON"),
        (b'{"input_text": -Infinity}', "holds -Infinity, which is no JSON"),
        (b'{"tools": [1e999]}', "holds a number that is too large"),
        (b'{"tools": ' + b"9" * 5000 + b"}", "holds a number that is too long"),
        (b'{"input_text": "a", "input_text": "b"}', 'has the key "input_text" twice'),
        (b'{"contents": [{"role": "user", "role": "model"}]}', 'has the key "role" twice'),
        (b'{"input_text": "\\ud800"}', "holds half of a surrogate pair (\\ud8…); remove it"),
        (b'{"\\udfff": 1}', "holds half of a surrogate pair (\\ud8…); remove it"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"tools": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (
            b"{}",
            'has none of "contents" (today\'s form), "input_text" (2023), "messages" (chat)',
        ),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_what_is_no_object_of_a_known_form_is_refused(data: bytes, said: str) -> None:
    assert why(data) == said


def test_a_whole_surrogate_pair_is_one_character() -> None:
    found = parse(b'{"input_text": "\\ud83d\\ude00", "output_text": "x"}', None)
    assert found.prompt == "😀"
    assert "😀".encode() in found.line()


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ([], '"contents" must be a list of turns'),
        ({}, '"contents" must be a list of turns'),
        (None, '"contents" must be a list of turns'),
        ([MODEL, USER], "turn 1 is the model's; turns alternate, the user's first"),
        ([USER, USER, MODEL], "turn 2 is the user's; turns alternate, the user's first"),
        ([USER], "the last turn must be the model's: it is what is learnt"),
        ([USER, MODEL, USER], "the last turn must be the model's: it is what is learnt"),
        (["x"], 'contents[0] must be an object with "role" and "parts"'),
        ([{"parts": [{"text": "x"}]}], 'contents[0].role is null; it must be "user" or "model"'),
        (
            [content({"text": "x"}, role="assistant")],
            'contents[0].role is "assistant"; it must be "user" or "model"',
        ),
        ([content()], "contents[0].parts must be a list with at least one part"),
        ([content({"text": ""})], "contents[0] is empty"),
        ([content({"text": " \n"}, {"text": "\t"})], "contents[0] is empty"),
        ([USER, content({"text": " "}, role="model")], "contents[1] is empty"),
        ([USER | {"name": "x"}], 'contents[0] has the unknown key "name"'),
    ],
)
def test_turns_alternate_say_something_and_end_with_the_model(turns: Any, said: str) -> None:
    assert why({"contents": turns}) == said


@pytest.mark.parametrize(
    "part",
    [
        "text",
        {},
        {"text": 3},
        {"text": None},
        {"text": "x", "thought": True},
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        {"fileData": "gs://b/o"},
        {"fileData": {"fileUri": "gs://b/o"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "/home/me/o.png"}},
        {"fileData": {"mimeType": 3, "fileUri": "gs://b/o"}},
    ],
)
def test_parts_are_texts_or_files_in_cloud_storage(part: Any) -> None:
    assert why({"contents": [content(part), MODEL]}) == (
        'contents[0].parts[0] must be {"text": "…"} or'
        ' {"fileData": {"mimeType": "…", "fileUri": "gs://…"}}'
    )


def test_an_answer_is_text() -> None:
    file = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/o"}}
    said = why({"contents": [USER, content(file, role="model")]})
    assert said == 'contents[1].parts[0] must be {"text": "…"}'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"input_text": "x"}, 'has both "contents" and "input_text"; keep one'),
        ({"tools": {}}, '"tools" must be a list of objects'),
        ({"tools": ["x"]}, '"tools" must be a list of objects'),
        (
            {"systemInstruction": "Be brief."},
            'systemInstruction must be an object whose "parts" are {"text": "…"}',
        ),
        (
            {"systemInstruction": {"parts": [{"fileData": {}}]}},
            'systemInstruction must be an object whose "parts" are {"text": "…"}',
        ),
        ({"systemInstruction": {"parts": []}}, "systemInstruction is empty"),
        ({"systemInstruction": {"parts": [{"text": " "}]}}, "systemInstruction is empty"),
        ({"systemInstruction": {"texts": []}}, 'systemInstruction has the unknown key "texts"'),
        (
            {
                "systemInstruction": {"parts": [{"text": "a"}]},
                "system_instruction": {"parts": [{"text": "b"}]},
            },
            'has both "systemInstruction" and "system_instruction"; keep one',
        ),
    ],
)
def test_what_stands_beside_the_turns_is_checked_too(more: dict[str, Any], said: str) -> None:
    assert why({"contents": [USER, MODEL]} | more) == said


def test_tools_may_not_be_nested_without_end() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert why({"contents": [USER, MODEL], "tools": [{"a": deep}]}) == (
        '"tools" is nested too deeply'
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"input_text": "x"}, '"output_text" is missing or empty'),
        ({"output_text": "x"}, '"input_text" is missing or empty'),
        ({"input_text": " ", "output_text": "x"}, '"input_text" is missing or empty'),
        ({"input_text": "x", "output_text": 1}, '"output_text" is missing or empty'),
        ({"input_text": "x", "output_text": "y", "id": 1}, 'has the unknown key "id"'),
    ],
)
def test_the_form_of_2023_has_two_texts(value: dict[str, Any], said: str) -> None:
    assert why(value) == said


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ("x", '"messages" must be a list of objects with "role" and "content"'),
        (["x"], '"messages" must be a list of objects with "role" and "content"'),
        ([], '"messages" holds no turn of a user'),
        ([("system", "x")], '"messages" holds no turn of a user'),
        ([("user", "x")], "the last turn must be the model's: it is what is learnt"),
        (
            [("assistant", "x"), ("user", "y")],
            "turn 1 is the model's; turns alternate, the user's first",
        ),
        ([("user", ""), ("assistant", "y")], "messages[0].content is missing or empty"),
        ([("user", None)], "messages[0].content is missing or empty"),
        ([("user", [{"type": "text", "text": "x"}])], "messages[0].content must be text"),
        (
            [("user", "x"), ("system", "y")],
            'messages[1].role is "system"; it must be user or assistant, the first may be system',
        ),
        (
            [("tool", "x")],
            'messages[0].role is "tool"; it must be user or assistant, the first may be system',
        ),
    ],
)
def test_messages_are_turns_too(messages: Any, said: str) -> None:
    if isinstance(messages, list) and all(isinstance(one, tuple) for one in messages):
        messages = [{"role": role, "content": text} for role, text in messages]
    assert why({"messages": messages}) == said


# Anything else


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("user")
)
_OF_CONTENTS = ["contents", "systemInstruction", "tools", "role", "parts", "text", "fileData"]
_OF_CALLS = ["functionCall", "functionResponse", "name", "args", "response"]
_KEYS = st.sampled_from(
    [*_OF_CONTENTS, *_OF_CALLS, "messages", "content", "input_text", "output_text"]
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


def parsed(data: bytes, instructions: str | None = None) -> Example | None:
    try:
        return parse(data, instructions)
    except BadExample:
        return None


@given(st.one_of(st.binary(max_size=80), _JSON.map(line)), st.none() | st.text(min_size=1))
@example(b'{"contents":[{"role":"user","parts":[{"text":"x"}]},{"role":"model"}]}', None)
def test_any_bytes_are_an_example_or_a_bad_one(data: bytes, instructions: str | None) -> None:
    found = parsed(data, instructions)
    if found is not None:
        assert parse(found.line(), None).line() == found.line()


def test_no_depth_of_nesting_breaks_the_conversion() -> None:
    start = line({"contents": [USER, MODEL]})[:-1] + b', "tools": [{"a":'
    for depth in range(20, 1200):
        nested = b"[" * depth + b"]" * depth
        found = parsed(start + nested + b"}]}")
        assert (found is not None) == (depth <= 63), depth
        assert found is None or nested in found.line()


_TEXTS = st.text(min_size=1).filter(lambda text: bool(text.strip()))


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS)
def test_every_text_counts(one: str, two: str, three: str, four: str) -> None:
    def bytes_of(prompt: str, answer: str, system: str) -> bytes:
        return parse(line({"input_text": prompt, "output_text": answer}), system).line()

    same = bytes_of(one, two, three)
    assert (bytes_of(four, two, three) == same) == (four == one)
    assert (bytes_of(one, four, three) == same) == (four == two)
    assert (bytes_of(one, two, four) == same) == (four == three)
