"""Entrance: answers enter as in the plain transformer, and states that are kept equal new ones."""

from collections.abc import Sequence

import numpy as np
import pytest

from jobs.emulator.trainer import entrance
from jobs.emulator.trainer.entrance import TOGETHER, Entrance, States
from jobs.emulator.trainer.tokenizer import Target
from tests.emulator.trainer.tiny import FROZEN, SHAPE, new_reader, plain_states, some_tokens


def target(prompt: int, response: int, seed: int) -> Target:
    return Target(some_tokens(prompt, seed), some_tokens(response, seed + 100))


TARGETS = [target(20, 5, 1), target(3, 1, 2), target(0, 7, 3), target(31, 2, 4)]


def new_entrance(below: int = 1) -> Entrance:
    return Entrance(FROZEN, new_reader(), below)


def assert_entered(targets: Sequence[Target], found: Sequence[States], below: int = 1) -> None:
    """As the whole text enters the layer in the plain transformer; prompts at half precision."""
    for one, states in zip(targets, found, strict=True):
        text = one.prompt + FROZEN.opening + one.response[:-1]
        expected = plain_states(text)[below][len(one.prompt) :]
        np.testing.assert_allclose(states, expected, rtol=0.01, atol=0.02)


@pytest.mark.parametrize("below", range(SHAPE.layers))
def test_answers_enter_as_in_the_plain_transformer(below: int) -> None:
    assert_entered(TARGETS, new_entrance(below).states(TARGETS), below)


def test_states_are_reused_and_equal_those_computed_anew() -> None:
    reused = new_entrance()
    first = reused.states(TARGETS)
    again = reused.states(TARGETS[::-1])
    assert all(one is other for one, other in zip(first, again[::-1], strict=True))
    for one, states in zip(TARGETS, again[::-1], strict=True):
        [anew] = new_entrance().states([one])
        np.testing.assert_allclose(states, anew, rtol=0.01, atol=0.01)


def test_the_same_prompt_with_another_answer_has_states_of_its_own() -> None:
    targets = [Target(TARGETS[0].prompt, some_tokens(4, seed)) for seed in (7, 8)]
    assert_entered(targets, new_entrance().states(targets))


def test_more_answers_than_go_together_come_in_their_order() -> None:
    targets = [target(number % 7, 1 + number % 3, number) for number in range(TOGETHER + 3)]
    assert_entered(targets, new_entrance().states(targets))


def test_what_is_forgotten_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "CAPACITY", 10)
    small = new_entrance()
    for _ in range(2):
        assert_entered(TARGETS, small.states(TARGETS))
