"""Generation: the likeliest answers, whether asked one by one or many at once."""

from collections.abc import Sequence

import numpy as np
import pytest
from jax import Array

from jobs.emulator.trainer import generation, lora
from jobs.emulator.trainer.catalog import SMOLLM2
from jobs.emulator.trainer.reading import Tokens
from tests.emulator.trainer.tiny import FROZEN, LAYOUT, new_reader, plain, some_rows, some_tokens

ADAPTER = (LAYOUT, some_rows())
PROMPTS = [some_tokens(length, seed=length) for length in (21, 4, 33, 10, 2)]
LENGTH = 8


def generate(
    prompts: Sequence[Tokens],
    adapter: tuple[lora.Layout, Array] | None = ADAPTER,
    *,
    stops: frozenset[int] = frozenset(),
    max_tokens: int = LENGTH,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Tokens]:
    return generation.generate(
        FROZEN,
        new_reader(),
        adapter,
        prompts,
        stops=stops,
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
    )


def likeliest(prompt: Tokens, rows: Array | None, count: int = LENGTH) -> Tokens:
    """The greedy answer, with the whole text read anew for every token."""
    text = prompt + FROZEN.opening
    for _ in range(count):
        logits, _ = plain(text, len(prompt), rows)
        text += (int(np.argmax(np.asarray(logits)[-1])),)
    return text[-count:]


@pytest.mark.parametrize(
    "adapter",
    [None, ADAPTER, (LAYOUT, some_rows()[1:])],
    ids=["base", "adapter", "adapter of the last layer"],
)
def test_an_answer_is_what_the_plain_transformer_finds_likeliest(
    adapter: tuple[lora.Layout, Array] | None,
) -> None:
    rows = adapter[1] if adapter else None
    assert generate(PROMPTS, adapter) == [likeliest(prompt, rows) for prompt in PROMPTS]


def test_an_adapter_changes_the_answers() -> None:
    assert generate(PROMPTS, ADAPTER) != generate(PROMPTS, None)


def test_prompts_together_are_answered_as_one_by_one() -> None:
    assert generate(PROMPTS) == [answer for prompt in PROMPTS for answer in generate([prompt])]


def test_what_needs_more_than_one_group_is_answered_in_the_order_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = generate(PROMPTS)
    monkeypatch.setattr(generation, "PLACES", 256)
    assert generate(PROMPTS) == together


def test_no_prompts_get_no_answers() -> None:
    assert generate([]) == []


def test_a_prompt_without_tokens_is_answered() -> None:
    assert generate([()]) == [likeliest((), ADAPTER[1])]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_an_answer_has_no_more_tokens_than_allowed(most: int) -> None:
    assert generate(PROMPTS, max_tokens=most) == [answer[:most] for answer in generate(PROMPTS)]


def test_a_stop_ends_its_own_answer_only_and_is_no_part_of_it() -> None:
    whole = generate(PROMPTS)
    stop = whole[0][3]
    ended = [
        answer[: answer.index(stop)] if stop in answer else answer
        for answer in generate(PROMPTS, stops=frozenset())
    ]
    assert generate(PROMPTS, stops=frozenset({stop})) == ended
    assert len(ended[0]) < LENGTH
    assert any(len(answer) == LENGTH for answer in ended)


def test_drawn_answers_depend_on_seed_and_prompt_but_not_on_neighbours() -> None:
    drawn = generate(PROMPTS, temperature=1.0, seed=7)
    alone = [generate([prompt], temperature=1.0, seed=7)[0] for prompt in PROMPTS]
    assert drawn == alone
    assert drawn != generate(PROMPTS, temperature=1.0, seed=8)
    assert drawn != generate(PROMPTS)


def test_a_low_temperature_draws_the_likeliest() -> None:
    assert generate(PROMPTS, temperature=1e-4) == generate(PROMPTS)


def test_words_are_drawn_as_often_as_they_are_likely() -> None:
    choice = generation._Choice((1,), 2.0, seed=0)
    logits = (2.0 * np.log([0.6, 0.3, 0.1])).astype(np.float32)
    drawn = np.bincount([choice.token(logits) for _ in range(3000)], minlength=3) / 3000
    np.testing.assert_allclose(drawn, [0.6, 0.3, 0.1], atol=0.04)


def test_a_prompt_near_the_end_of_the_context_is_answered() -> None:
    prompt = some_tokens(SMOLLM2.context_tokens - len(FROZEN.opening) - 2)
    assert generate([prompt, PROMPTS[1]], max_tokens=2) == [
        likeliest(prompt, ADAPTER[1], 2),
        likeliest(PROMPTS[1], ADAPTER[1], 2),
    ]
