"""Answers of tuned endpoints and base models, and what is refused instead of answered."""

from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1
from google.genai import types
from google.genai.errors import ClientError

from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.files import TOKENS
from tests.emulator.vertex.held import Held
from tests.emulator.vertex.place import BASE, TRAIN, Place
from tests.emulator.vertex.test_models import undeploy_all

US = "projects/vertune-local/locations/us"
BASE_PATH = f"{US}/publishers/google/models/{BASE}"
ASKED: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "football news 0"}]}]}


def generate(place: Place, path: str = BASE_PATH, **fields: Any) -> tuple[int, Any]:
    return place.call("POST", f"v1/{path}:generateContent", {**ASKED, **fields})


def configured(place: Place, path: str = BASE_PATH, **config: Any) -> Any:
    status, answer = generate(place, path, generationConfig=config)
    assert status == 200, answer
    return answer


def test_a_tuned_endpoint_answers_as_it_was_tuned_and_a_base_model_does_not(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]
    client = place.client("us")

    tuned = client.models.generate_content(model=endpoint, contents="football news 0")
    base = client.models.generate_content(model=BASE, contents="football news 0")

    assert tuned.text == "sports"
    assert base.text != "sports"
    for answer in (tuned, base):
        assert answer.model_version == f"nearest-example (local simulation of {BASE})"


def test_usage_is_counted_by_the_trainers_own_tokenizer(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]

    answer = place.client("us").models.generate_content(model=endpoint, contents="football news 0")

    assert answer.usage_metadata
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count) == (3, 1)
    assert usage.total_token_count == 4
    assert answer.candidates
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP


def test_the_generated_client_is_answered_too(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]
    client = aiplatform_v1.PredictionServiceClient(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options={"api_endpoint": place.url},
    )
    content = aiplatform_v1.Content(role="user", parts=[aiplatform_v1.Part(text="galaxy news 2")])

    answer = client.generate_content(model=endpoint, contents=[content])

    assert answer.candidates[0].content.parts[0].text == "science"


def test_a_checkpoint_answers_at_its_own_endpoint(held_place: Place, held: Held) -> None:
    name = held_place.create(epochs=2)["name"]
    call = held.next_call()
    call.step(1, 2, 1, "1")
    call.step(2, 2, 2, "2")
    call.future.set_result(None)
    tuned = held_place.finished(name)["tunedModel"]

    texts = [
        generate(held_place, point["endpoint"])[1]["candidates"][0]["content"]["parts"][0]["text"]
        for point in tuned["checkpoints"]
    ]

    assert texts == [str(call.folder / "1"), str(call.folder / "2")]
    assert generate(held_place, tuned["endpoint"])[1]["candidates"][0]["content"]["parts"] == [
        {"text": texts[-1]}
    ]


def test_a_streamed_answer_comes_in_one_piece(place: Place) -> None:
    pieces = list(
        place.client("us").models.generate_content_stream(model=BASE, contents="one two three")
    )

    assert [piece.text for piece in pieces] == ["one two three"]


def test_an_answer_that_was_cut_says_so(place: Place) -> None:
    answer = configured(place, maxOutputTokens=2)

    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [{"text": "football news"}]
    assert candidate["finishReason"] == "MAX_TOKENS"


def test_an_answer_ends_before_a_stop_sequence(place: Place) -> None:
    answer = configured(place, stopSequences=["0", " news"])

    (candidate,) = answer["candidates"]
    assert candidate["content"]["parts"] == [{"text": "football"}]
    assert candidate["finishReason"] == "STOP"


def test_tokens_are_counted_for_base_models_and_endpoints(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]
    client = place.client("us")

    counts = [
        client.models.count_tokens(model=model, contents="football news 0").total_tokens
        for model in (BASE, endpoint)
    ]

    assert counts == [3, 3]


def test_tokens_of_functions_are_counted(place: Place) -> None:
    config = types.CountTokensConfig(
        tools=[types.Tool(function_declarations=[types.FunctionDeclaration(name="f")])]
    )
    call = types.Part(function_call=types.FunctionCall(name="f", args={"a": "b c"}))
    turns: list[Any] = [
        types.Content(role="user", parts=[types.Part(text="x")]),
        types.Content(role="model", parts=[call]),
    ]
    models = place.client("us").models

    plain = models.count_tokens(model=BASE, contents=turns[:1]).total_tokens
    called = models.count_tokens(model=BASE, contents=turns).total_tokens
    declared = models.count_tokens(model=BASE, contents=turns[:1], config=config).total_tokens

    assert plain is not None
    assert called is not None
    assert declared is not None
    assert called > plain
    assert declared > plain


@pytest.mark.parametrize(
    "body",
    [
        {"contents": []},
        {"contents": None},
        {"contents": "text"},
        {"contents": [{"role": "system", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "model", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": []}]},
        {"generationConfig": {"maxOutputTokens": 0}},
        {"generationConfig": {"temperature": 3}},
        {"generationConfig": {"stopSequences": ["a", "b", "c", "d", "e", "f"]}},
    ],
)
def test_a_request_the_service_cannot_answer_is_refused(place: Place, body: Any) -> None:
    status, answer = generate(place, **body)

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_prompt_beyond_the_stand_ins_context_is_refused(place: Place) -> None:
    contents = [{"role": "user", "parts": [{"text": "word " * 2000}]}]

    status, answer = generate(place, contents=contents)

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "2000" in answer["error"]["message"]


def test_a_picture_is_not_answered_as_if_it_were_text(place: Place) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": ""}}

    status, _ = generate(place, contents=[{"role": "user", "parts": [part]}])

    assert status == 501


def test_of_a_file_that_is_there_the_name_is_read_and_a_fixed_number_of_tokens_counted(
    place: Place,
) -> None:
    place.objects["gs://data/cats/tom.png"] = b"png"
    contents = [{"role": "user", "parts": [{"text": "What is "}, file("gs://data/cats/tom.png")]}]

    _, answer = generate(place, contents=contents)
    _, count = place.call("POST", f"v1/{BASE_PATH}:countTokens", {"contents": contents})

    assert answer["modelVersion"].endswith(f"of {BASE}, which reads no files but their names)")
    assert answer["usageMetadata"]["promptTokenCount"] == count["totalTokens"] == 6 + TOKENS
    assert count["promptTokensDetails"] == [
        {"modality": "TEXT", "tokenCount": 6},
        {"modality": "IMAGE", "tokenCount": TOKENS},
    ]


@pytest.mark.parametrize("call", ["generateContent", "countTokens"])
@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"fileUri": "gs://data/gone.png", "mimeType": "image/png"}, "gs://data/gone.png does not"),
        ({"fileUri": "https://a.org/tom.png", "mimeType": "image/png"}, "unsupported file uri"),
        ({"fileUri": TRAIN}, "mimeType"),
        ({}, "unsupported file uri"),
        ({"fileUri": 7}, "TYPE_STRING"),
    ],
)
def test_a_file_that_is_not_there_is_refused(
    place: Place, call: str, part: dict[str, object], why: str
) -> None:
    contents = [{"role": "user", "parts": [{"fileData": part}]}]

    status, answer = place.call("POST", f"v1/{BASE_PATH}:{call}", {"contents": contents})

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert why in answer["error"]["message"]


def file(uri: str) -> dict[str, object]:
    return {"fileData": {"mimeType": "image/png", "fileUri": uri}}


def test_an_endpoint_answers_only_in_its_own_location(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]

    for location in ("us-central1", "global", "eu"):
        status, _ = generate(place, endpoint.replace("/us/", f"/{location}/"))
        assert status == 404


def test_a_tuned_models_name_is_no_endpoint(place: Place) -> None:
    model = place.tuned(epochs=1)["tunedModel"]["model"]

    with pytest.raises(ClientError, match="malformed"):
        place.client("us").models.generate_content(model=model, contents="x")


@pytest.mark.parametrize(("location", "id"), [("us-central1", BASE), ("us", "gemini-9")])
def test_a_base_model_that_is_not_served_there_is_not_found(
    place: Place, location: str, id: str
) -> None:
    path = f"projects/vertune-local/locations/{location}/publishers/google/models/{id}"

    status, answer = generate(place, path)

    assert (status, answer["error"]["status"]) == (404, "NOT_FOUND")


def test_an_endpoint_without_a_model_cannot_answer(place: Place) -> None:
    endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]
    undeploy_all(place)

    status, answer = generate(place, endpoint)

    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_what_another_trainer_tuned_is_not_answered_for(tmp_path: Path) -> None:
    with Place(tmp_path / "state", TrainerClient(NEAREST.name, tmp_path / "cache")) as place:
        endpoint = place.tuned(epochs=1)["tunedModel"]["endpoint"]

    other = Held(tmp_path)
    other.name = "another"
    with Place(tmp_path / "state", other) as place:
        status, answer = generate(place, endpoint)

    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert "nearest-example" in answer["error"]["message"]
