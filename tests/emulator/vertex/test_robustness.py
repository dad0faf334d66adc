"""Whatever a client sends is accepted or refused, and never fails the emulator."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.errors import ApiError
from jobs.emulator.state import State
from jobs.emulator.trainer.catalog import NEAREST
from jobs.emulator.vertex.catalog import load_catalog
from jobs.emulator.vertex.continuation import Continuation
from jobs.emulator.vertex.dataset import ExampleError, conversation
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.vertex.files import Files
from jobs.emulator.vertex.messages import HYPER_PARAMETERS, INPUTS, SPEC
from jobs.emulator.vertex.names import Names, Place
from jobs.emulator.vertex.prompts import read_generation, read_prompt
from jobs.emulator.vertex.registry import Registry
from jobs.emulator.vertex.validation import Validation
from tests.emulator.vertex.place import BASE

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)


def message(names: Any, **known: Any) -> Any:
    """Mostly well formed, with anything at all in some of its fields."""
    some = st.dictionaries(st.sampled_from(sorted(names)), ANYTHING, max_size=2)
    return st.fixed_dictionaries({}, optional=known).flatmap(
        lambda fields: some.map(lambda wild: fields | wild)
    )


ORDERS = message(
    INPUTS,
    base_model=st.just(BASE),
    supervised_tuning_spec=message(
        SPEC,
        training_dataset_uri=st.just("gs://a/b"),
        hyper_parameters=message(HYPER_PARAMETERS),
    ),
)
FILE = message(["x"], mimeType=st.just("a/b") | ANYTHING, fileUri=st.just("gs://a/b") | ANYTHING)
PART = message(["functionCall"], text=st.text(max_size=5), fileData=FILE)
PARTS = st.lists(PART | ANYTHING, max_size=3)
FILES = Files(lambda bucket, name: BytesIO() if name == "b" else None)
CONTENT = message(["x"], role=st.sampled_from(["user", "model"]) | ANYTHING, parts=PARTS)
PROMPTS = message(
    ["contents", "generation_config"],
    contents=st.lists(CONTENT, max_size=3),
    systemInstruction=CONTENT,
    generation_config=message(["seed", "temperature", "stop_sequences", "max_output_tokens"]),
)


@pytest.fixture(scope="module")
def validation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validation]:
    state = State(tmp_path_factory.mktemp("state"))
    continuation = Continuation(Registry(state), Names({"vertune-local": "0"}), NEAREST.name)
    yield Validation(load_catalog(), lambda bucket, name: None, continuation)
    state.close()


@given(body=ORDERS)
def test_an_order_is_kept_or_refused(validation: Validation, body: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        validation.job(Fields(body, "tuning_job"), Place("0", "us-central1"), True)

    assert caught.value.code in (400, 501)


@given(PROMPTS)
def test_a_prompt_is_read_or_refused(body: dict[str, Any]) -> None:
    fields = Fields(body)
    with suppress(ApiError):
        prompt, generation = read_prompt(fields, FILES), read_generation(fields, 100)
        assert prompt.turns[-1].role == "user"
        assert 1 <= generation.max_tokens <= 100


@given(message(["contents", "systemInstruction"], contents=st.lists(CONTENT, max_size=3)))
def test_an_example_is_read_or_dropped(value: dict[str, Any]) -> None:
    with suppress(ExampleError):
        turns = conversation(value, FILES).turns
        assert turns[-1].role == "model"
        assert "".join(turn.text for turn in turns).encode()


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_half_a_character_is_no_text(text: str) -> None:
    with pytest.raises(ApiError):
        Fields({"name": text}).text("name")
    with pytest.raises(ApiError):
        Fields({"labels": {"key": text}}).text_map("labels")
    contents = [{"role": role, "parts": [{"text": text}]} for role in ("user", "model")]
    with pytest.raises(ExampleError):
        conversation({"contents": contents}, FILES)
