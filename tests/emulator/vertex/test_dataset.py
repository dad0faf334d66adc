"""Datasets as tuning reads them: what is kept, what is dropped and why, what is counted."""

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from jobs.emulator.trainer.base import Conversation, Turn
from jobs.emulator.vertex.dataset import DatasetError, read_examples
from jobs.emulator.vertex.files import TOKENS, Files
from jobs.emulator.vertex.stats import data_stats
from tests.emulator.vertex.place import TRAIN, Place, example, headlines, jsonl


def words(conversations: Sequence[Conversation]) -> list[int]:
    return [
        sum(len(text.split()) for text in (one.system or "", *(turn.text for turn in one.turns)))
        for one in conversations
    ]


def read(data: bytes, limit: int = 100) -> Any:
    return read_examples(data.splitlines(keepends=True), TRAIN, words, limit, FILES)


def _there(bucket: str, name: str) -> BinaryIO | None:
    return BytesIO() if (bucket, name) == ("data", "cats/tom.png") else None


FILES = Files(_there)


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "parts": [{"text": text}]}


def model(text: Any) -> dict[str, Any]:
    return {"role": "model", "parts": [{"text": text}]}


def test_an_example_is_a_conversation_with_its_system_instruction() -> None:
    value = {
        "systemInstruction": {"role": "anything", "parts": [{"text": "Be "}, {"text": "brief."}]},
        "contents": [user("a"), model("b"), user("c"), model("d")],
    }

    (kept,) = read(jsonl(value)).kept

    turns = (Turn("user", "a"), Turn("model", "b"), Turn("user", "c"), Turn("model", "d"))
    assert kept.conversation == Conversation("Be brief.", turns)
    assert (kept.input_tokens, kept.output_tokens) == (5, 1)


def file(uri: Any) -> dict[str, Any]:
    part = {"fileData": {"mimeType": "image/png", "fileUri": uri}}
    return {"role": "user", "parts": [{"text": "What is "}, part]}


def test_of_a_file_the_name_is_read_and_the_tokens_of_an_image_are_counted() -> None:
    value = {"contents": [file("gs://data/cats/tom.png"), model("a cat")]}

    (kept,) = read(jsonl(value)).kept

    assert kept.conversation.turns[0].text == "What is [image/png tom.png]"
    assert (kept.input_tokens, kept.output_tokens) == (4 + TOKENS, 2)


def test_functions_are_read_as_the_json_they_are_written_in() -> None:
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}
    gave = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
    value = {"contents": [user("a"), call, gave, model("b")], "tools": [{"functions": ["f"]}]}

    (kept,) = read(jsonl(value)).kept

    assert kept.conversation.system == '[{"functions":["f"]}]'
    assert [turn.text for turn in kept.conversation.turns] == [
        "a",
        '{"name":"f","args":{"a":1}}',
        '{"name":"f","response":{}}',
        "b",
    ]


def test_tools_that_are_no_list_drop_the_example() -> None:
    value = {"contents": [user("a"), model("b")], "tools": {}}
    assert read(jsonl(value)).dropped == {1: "The tools are not a list of declarations."}


def test_blank_lines_do_not_count() -> None:
    found = read(b"\n" + jsonl(example("a", "b")) + b"  \n" + jsonl({"contents": []}))

    assert len(found.kept) == 1
    assert list(found.dropped) == [2]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "no contents"),
        ({"contents": []}, "no contents"),
        ({"input_text": "a", "output_text": "b"}, "no contents"),
        ({"contents": [user("a")]}, "last content"),
        ({"contents": [model("b")]}, "no content of the user"),
        ({"contents": [user("a"), model("")]}, "last content"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "role"),
        ({"contents": [{"parts": [{"text": "a"}]}, model("b")]}, "role"),
        ({"contents": [{"role": "user"}, model("b")]}, "no parts"),
        ({"contents": [{"role": "user", "parts": [{"fileData": {}}]}, model("b")]}, "neither text"),
        ({"contents": ["a", "b"]}, "role"),
        ({"contents": [user(7), model("b")]}, "neither text"),
        ({"contents": [file("gs://data/gone.png"), model("b")]}, "does not exist"),
        ({"contents": [file("https://a.org/tom.png"), model("b")]}, "file uri"),
        ({"contents": [file(7), model("b")]}, "no mimeType or no fileUri"),
    ],
)
def test_an_invalid_example_is_dropped_with_a_reason(value: Any, reason: str) -> None:
    found = read(jsonl(example("a", "b"), value))

    assert len(found.kept) == 1
    assert reason in found.dropped[2]


def test_an_example_beyond_the_trainers_context_is_dropped() -> None:
    found = read(jsonl(example("one two three", "four five"), example("a", "b")), limit=4)

    assert [kept.conversation.turns[0].text for kept in found.kept] == ["a"]
    assert "5 tokens, more than the 4" in found.dropped[1]


@pytest.mark.parametrize("line", [b"{", b"[1]", b"text", b'{"contents": [}'])
def test_a_line_that_is_no_object_spoils_the_dataset(line: bytes) -> None:
    with pytest.raises(DatasetError, match="Line 3"):
        read(b"\n" + jsonl(example("a", "b")) + line)


def test_statistics_bill_every_token_once_an_epoch() -> None:
    found = read(jsonl(example("a b", "c"), example("d e f g", "h i"), {}))

    stats = data_stats(found, epochs=3)["supervisedTuningDataStats"]

    assert stats["tuningDatasetExampleCount"] == "2"
    assert stats["totalBillableTokenCount"] == "27"
    assert stats["totalTruncatedExampleCount"] == "1"
    assert stats["truncatedExampleIndices"] == ["3"]
    assert stats["droppedExampleReasons"] == ["The example has no contents."]
    inputs = stats["userInputTokenDistribution"]
    assert (inputs["sum"], inputs["billableSum"]) == ("6", "18")
    assert (inputs["min"], inputs["max"], inputs["mean"], inputs["median"]) == (2, 4, 3, 3)
    assert sum(bucket["count"] for bucket in inputs["buckets"]) == 2


def test_statistics_hold_no_text_of_the_examples() -> None:
    found = read(jsonl(example("secret prompt", "secret answer"), example("secret", "")))

    assert "secret" not in json.dumps(data_stats(found, 1))


def test_dropped_examples_show_in_the_job(place: Place) -> None:
    place.objects[TRAIN] = headlines(4) + jsonl({"contents": [user("a")]})

    stats = place.tuned()["tuningDataStats"]["supervisedTuningDataStats"]

    assert stats["tuningDatasetExampleCount"] == "4"
    assert stats["truncatedExampleIndices"] == ["5"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (headlines(2) + b"{broken\n", "Line 3 of gs://data/train.jsonl is not valid JSON."),
        (jsonl({"input_text": "a", "output_text": "b"}), "no valid example"),
    ],
)
def test_a_fault_found_while_processing_fails_the_job(place: Place, data: bytes, said: str) -> None:
    place.objects[TRAIN] = data

    job = place.finished(place.create()["name"])

    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"]["code"] == 3
    assert said in job["error"]["message"]
    assert "tunedModel" not in job


def test_too_many_validation_examples_fail_the_job(place: Place) -> None:
    place.objects["gs://data/validation.jsonl"] = headlines(1001)

    job = place.create(spec={"validationDatasetUri": "gs://data/validation.jsonl"})

    assert "1001 examples, more than 30%" in place.finished(job["name"])["error"]["message"]
