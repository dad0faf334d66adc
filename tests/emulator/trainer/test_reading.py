"""Reading: prompts in a group are read as the plain transformer reads each alone."""

import weakref
from collections.abc import Sequence

import numpy as np
import pytest

from jobs.emulator.trainer import reading
from jobs.emulator.trainer.catalog import SMOLLM2
from jobs.emulator.trainer.reading import ROW, Kept, Tokens
from tests.emulator.trainer.tiny import SHAPE, new_reader, plain, some_tokens

BEGINNING = some_tokens(24, seed=1)
SHARING = [BEGINNING + some_tokens(length, seed=length) for length in (1, 7, 30, 12)]
UNLIKE = [some_tokens(length, seed=length) for length in (40, 3, 17)]


def assert_read(prompts: Sequence[Tokens], found: Sequence[Kept]) -> None:
    """As the whole text read at once by the plain transformer, at half precision."""
    for prompt, kept in zip(prompts, found, strict=True):
        _, expected = plain(prompt, len(prompt), None)
        np.testing.assert_allclose(kept, np.asarray(expected), rtol=0.01, atol=0.02)


def test_a_prompt_alone_is_read_as_the_plain_transformer_reads_it() -> None:
    assert_read(SHARING[:1], new_reader().read(SHARING[:1]))


def test_prompts_in_a_group_do_not_see_each_other() -> None:
    assert_read(UNLIKE, new_reader().read(UNLIKE))


def test_a_shared_beginning_changes_nothing() -> None:
    assert_read(SHARING, new_reader().read(SHARING))


def test_a_prompt_that_is_the_beginning_of_another_is_read_whole() -> None:
    prompts = [BEGINNING, (*BEGINNING, 5)]
    assert_read(prompts, new_reader().read(prompts))


def test_a_beginning_that_no_longer_serves_is_forgotten() -> None:
    reader = new_reader()
    reader.read(SHARING)
    assert_read(UNLIKE, reader.read(UNLIKE))
    later = [BEGINNING + some_tokens(5, seed=99)]
    assert_read(later, reader.read(later))


def test_a_shared_beginning_serves_the_prompts_that_come_later() -> None:
    reader = new_reader()
    reader.read(SHARING)
    later = [BEGINNING + some_tokens(9, seed=98)]
    assert_read(later, reader.read(later))


def test_more_prompts_than_one_group_takes_are_read_in_their_order() -> None:
    prompts = [
        some_tokens(3 + number % 5, seed=number) for number in range(reading.CELLS // 32 + 3)
    ]
    assert_read(prompts, new_reader().read(prompts))


def test_a_prompt_that_comes_twice_is_found_twice() -> None:
    one, other = new_reader().read([UNLIKE[0], UNLIKE[0]])
    assert one is other


def test_an_empty_prompt_has_no_keys_and_an_empty_list_no_prompts() -> None:
    reader = new_reader()
    kept, _ = reader.read([(), UNLIKE[0]])
    assert kept.shape == (SHAPE.layers, 0, 2 * SHAPE.kv_width)
    assert reader.read([]) == []


@pytest.mark.parametrize("length", [ROW + 1, SMOLLM2.context_tokens])
def test_a_prompt_longer_than_a_row_is_read(length: int) -> None:
    prompts = [some_tokens(length), UNLIKE[0]]
    assert_read(prompts, new_reader().read(prompts))


def test_what_was_read_lately_is_remembered() -> None:
    reader = new_reader()
    first = reader.read(UNLIKE)
    reader.read(SHARING)
    again = reader.read(UNLIKE)
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_memory_is_bounded_and_forgetting_changes_no_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CAPACITY", 50)
    reader = new_reader()
    prompts = [some_tokens(20, seed=number) for number in range(9)]
    assert_read(prompts, reader.read(prompts))
    held = [weakref.ref(reader.read([prompt])[0]) for prompt in prompts]
    assert [one() is not None for one in held] == [False] * 7 + [True] * 2
    assert_read(prompts, reader.read(prompts))


def test_what_was_used_last_is_forgotten_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CAPACITY", 50)
    reader = new_reader()
    one, two, three = [some_tokens(20, seed=number) for number in range(3)]
    [kept] = reader.read([one])
    for prompt in (two, one, three):
        reader.read([prompt])
    assert reader.read([one])[0] is kept


def test_a_prompt_larger_than_the_memory_is_read_but_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CAPACITY", 30)
    reader = new_reader()
    assert_read([UNLIKE[0]], reader.read([UNLIKE[0]]))
    held = weakref.ref(reader.read([UNLIKE[0]])[0])
    assert held() is None
    [small] = reader.read([UNLIKE[1]])
    assert reader.read([UNLIKE[1]])[0] is small
