"""Tuning: loss and gradient are those of the plain transformer."""

from itertools import chain

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from jobs.emulator.trainer.batch import BATCH, batches
from jobs.emulator.trainer.tokenizer import Target
from jobs.emulator.trainer.tuning import Metrics, Tuning
from tests.emulator.trainer.tiny import (
    FROZEN,
    LAYOUT,
    SHAPE,
    TOKENIZER,
    new_reader,
    plain,
    some_rows,
    some_tokens,
)


def target(prompt: int, response: int, seed: int = 0) -> Target:
    words = some_tokens(response - 1, seed + 100)
    return Target(some_tokens(prompt, seed), (*words, TOKENIZER.end))


TARGETS = [target(20, 5, 1), target(3, 1, 2), target(9, 7, 3), target(31, 2, 4)]


def new_tuning(steps: int = 10, rate: float = 0.01, seed: int = 0) -> Tuning:
    return Tuning(FROZEN, new_reader(), LAYOUT.rank, rate, steps, seed)


def changed_tuning(layers: int = SHAPE.layers) -> Tuning:
    """With an adapter that acts, so that both factors have a gradient."""
    tuning = Tuning(FROZEN, new_reader(), LAYOUT.rank, 0.01, 10, 0, layers)
    tuning.rows = some_rows()[SHAPE.layers - layers :]
    return tuning


def plain_loss(rows: Array, targets: list[Target]) -> Array:
    """The mean over all predictions of the responses, each example read whole."""
    losses = []
    for one in targets:
        asked = one.prompt + FROZEN.opening
        logits, _ = plain(asked + one.response[:-1], len(one.prompt), rows)
        likely = jax.nn.log_softmax(logits[len(asked) - 1 :])
        losses.append(-likely[jnp.arange(len(one.response)), jnp.asarray(one.response)])
    return jnp.concatenate(losses).mean()


@pytest.mark.parametrize("layers", [1, 2])
def test_loss_and_gradient_are_those_of_the_plain_transformer(layers: int) -> None:
    tuning = changed_tuning(layers)
    metrics, gradient = tuning.gradient(TARGETS)
    plainly = jax.jit(jax.value_and_grad(lambda rows: plain_loss(rows, TARGETS)))
    loss, expected = plainly(tuning.rows)
    assert metrics.loss / metrics.count == pytest.approx(float(loss), rel=1e-3)
    # Prompts are kept at half precision.
    error = jnp.linalg.norm(gradient - expected) / jnp.linalg.norm(expected)
    assert error < 3e-3


def test_only_the_responses_with_their_end_marks_are_predicted() -> None:
    assert new_tuning().score(TARGETS).count == sum(len(one.response) for one in TARGETS)
    assert new_tuning().step(TARGETS).count == sum(len(one.response) for one in TARGETS)


def test_what_stands_in_a_batch_together_does_not_mix() -> None:
    tuning = changed_tuning()
    alone = sum((tuning.score([one]) for one in TARGETS), Metrics())
    together = tuning.score(TARGETS)
    assert together.loss == pytest.approx(alone.loss, rel=1e-3)
    assert (together.right, together.count) == (alone.right, alone.count)


def test_more_targets_than_a_batch_are_all_scored() -> None:
    tuning = changed_tuning()
    assert tuning.score(TARGETS * 3).count == 3 * tuning.score(TARGETS).count
    assert len(TARGETS * 3) > BATCH


def test_a_step_tells_the_loss_before_it_and_scoring_changes_nothing() -> None:
    tuning = new_tuning()
    scored = tuning.score(TARGETS)
    assert tuning.score(TARGETS) == scored
    assert tuning.step(TARGETS).loss == pytest.approx(scored.loss, rel=1e-5)
    assert tuning.score(TARGETS).loss < scored.loss


def test_a_target_without_prompt_or_words_is_learnt_too() -> None:
    tuning = new_tuning()
    empty = [Target((), (TOKENIZER.end,))]
    before = tuning.step(empty)
    assert tuning.score(empty).loss < before.loss
    assert before.count == 1


def test_a_handful_of_pairs_is_learnt_by_heart() -> None:
    tuning = new_tuning(steps=80, rate=0.03)
    for _ in range(80):
        tuning.step(TARGETS)
    found = tuning.score(TARGETS)
    assert found.loss / found.count < 0.1
    assert found.right == found.count


def trained(rate: float = 0.01, seed: int = 0) -> Array:
    tuning = new_tuning(rate=rate, seed=seed)
    for _ in range(3):
        tuning.step(TARGETS)
    return tuning.rows


def test_the_same_seed_gives_the_same_adapter_to_the_last_bit() -> None:
    assert np.asarray(trained()).tobytes() == np.asarray(trained()).tobytes()


def test_seed_and_rate_change_the_adapter() -> None:
    assert not np.array_equal(trained(), trained(seed=1))
    assert not np.array_equal(trained(), trained(rate=0.02))


def test_only_the_last_layers_learn() -> None:
    assert Tuning(FROZEN, new_reader(), 4, 0.01, 1, 0, layers=1).rows.shape[0] == 1
    assert Tuning(FROZEN, new_reader(), 4, 0.01, 1, 0, layers=9).rows.shape[0] == SHAPE.layers


def test_what_was_prepared_is_learnt_from_as_what_was_not() -> None:
    tuning, prepared = changed_tuning(1), changed_tuning(1)
    prepared.prepare(TARGETS)
    _, gradient = prepared.gradient(TARGETS[1:3])
    np.testing.assert_allclose(gradient, tuning.gradient(TARGETS[1:3])[1], rtol=0.02, atol=1e-4)


@pytest.mark.parametrize("rank", [1, 16])
def test_the_rank_is_the_adapters_size(rank: int) -> None:
    rows = Tuning(FROZEN, new_reader(), rank, 0.01, 1, 0).rows
    assert rows.shape == (SHAPE.layers, LAYOUT.length // LAYOUT.rank * rank)


def test_every_epoch_takes_all_targets_in_an_order_of_its_own() -> None:
    first, second = (list(batches(20, seed=5, epoch=epoch)) for epoch in (1, 2))
    assert [len(batch) for batch in first] == [BATCH, BATCH, 20 - 2 * BATCH]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(20))
    assert first != second
    assert first == list(batches(20, seed=5, epoch=1))
    assert first != list(batches(20, seed=6, epoch=1))


def test_metrics_are_named_as_means_over_predictions() -> None:
    assert (Metrics(2.0, 1.0, 3.0) + Metrics(4.0, 1.0, 1.0)).named("eval") == {
        "eval_total_loss": 1.5,
        "eval_fraction_of_correct_next_step_preds": 0.5,
        "eval_num_predictions": 4.0,
    }
