"""SmolLM2: what tuning it reports step by step, and what it learns."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.emulator.trainer import smollm2
from jobs.emulator.trainer.base import Conversation, Settings, Step, TrainerError
from jobs.emulator.trainer.batch import BATCH
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.smollm2 import ADAPTER, SmolLM2
from jobs.emulator.trainer.tokenizer import ChatTokenizer
from tests.emulator.trainer.texts import COLOURS, colour_examples, colour_prompts, example, prompt
from tests.emulator.trainer.tiny import FROZEN, LAYOUT, SHAPE, TOKENIZER

TWO_EPOCHS = Settings(epochs=2, learning_rate_multiplier=1.0, adapter_size=LAYOUT.rank)
EXAMPLES = [example(f"q{n}", f"a{n}") for n in range(BATCH + 2)]
HELD_OUT = [example("q77", "a77")]


class Tiny(SmolLM2):
    """All but the weights and the vocabulary."""

    @cached_property
    def _tokenizer(self) -> ChatTokenizer:
        return TOKENIZER

    def _read(self) -> Frozen:
        return FROZEN


def tune(
    folder: Path,
    settings: Settings = TWO_EPOCHS,
    validation: Sequence[Conversation] = (),
    examples: Sequence[Conversation] = EXAMPLES,
) -> list[Step]:
    return list(Tiny().tune(examples, validation, settings, folder))


def adapter(folder: Path) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.load(folder / ADAPTER, allow_pickle=False)
    return found


def answer(trainer: SmolLM2, prompts: Sequence[Conversation], folder: Path | None) -> list[str]:
    return trainer.generate(prompts, folder, max_tokens=12, temperature=0.0, seed=0)


def test_a_step_knows_its_place_and_its_checkpoint(tmp_path: Path) -> None:
    steps = tune(tmp_path)
    assert [(s.step, s.steps, s.epoch, s.checkpoint) for s in steps] == [
        (1, 4, 1, None),
        (2, 4, 1, "1"),
        (3, 4, 2, None),
        (4, 4, 2, "2"),
    ]
    assert all((tmp_path / name).is_dir() for name in ("1", "2"))


def test_every_step_has_training_metrics_and_only_ends_of_epochs_others(tmp_path: Path) -> None:
    steps = tune(tmp_path, validation=HELD_OUT)
    assert all("train_total_loss" in step.metrics for step in steps)
    evaluated = ["eval_total_loss" in step.metrics for step in steps]
    assert evaluated == [False, True, False, True]
    assert steps[-1].metrics["eval_num_predictions"] == len("a77") + 1


def test_without_validation_there_are_no_such_metrics(tmp_path: Path) -> None:
    assert not any(name.startswith("eval") for s in tune(tmp_path) for name in s.metrics)


def test_how_many_prompts_are_read_ahead_hardly_changes_what_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ahead] = tune(tmp_path / "a", replace(TWO_EPOCHS, epochs=1))[-1:]
    monkeypatch.setattr(smollm2, "_AHEAD", 1)
    [single] = tune(tmp_path / "b", replace(TWO_EPOCHS, epochs=1))[-1:]
    losses = [step.metrics["train_total_loss"] for step in (ahead, single)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_validation_does_not_change_what_is_learnt(tmp_path: Path) -> None:
    tune(tmp_path / "a")
    tune(tmp_path / "b", validation=HELD_OUT)
    assert np.array_equal(adapter(tmp_path / "a" / "2"), adapter(tmp_path / "b" / "2"))


def test_an_epoch_predicts_every_response_once_with_its_end_mark(tmp_path: Path) -> None:
    steps = tune(tmp_path)
    counted = sum(s.metrics["train_num_predictions"] for s in steps if s.epoch == 2)
    assert counted == sum(len(one.turns[-1].text) + 1 for one in EXAMPLES)


def test_the_same_seed_gives_the_same_adapter_to_the_last_bit(tmp_path: Path) -> None:
    tune(tmp_path / "a")
    tune(tmp_path / "b")
    for name in ("1", "2"):
        first, second = (adapter(tmp_path / run / name) for run in ("a", "b"))
        assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize(
    "other", [replace(TWO_EPOCHS, seed=1), replace(TWO_EPOCHS, learning_rate_multiplier=2.0)]
)
def test_other_settings_give_another_adapter(tmp_path: Path, other: Settings) -> None:
    tune(tmp_path / "a")
    tune(tmp_path / "b", other)
    assert not np.array_equal(adapter(tmp_path / "a" / "2"), adapter(tmp_path / "b" / "2"))


def test_the_adapter_size_is_its_rank(tmp_path: Path) -> None:
    tune(tmp_path, replace(TWO_EPOCHS, adapter_size=8))
    assert adapter(tmp_path / "2").shape == (SHAPE.layers, 2 * LAYOUT.length)
    assert len(answer(Tiny(), colour_prompts(), tmp_path / "2")) == len(COLOURS)


def test_what_was_learnt_by_heart_is_answered_after_a_restart(tmp_path: Path) -> None:
    examples = EXAMPLES[:4]
    by_heart = Settings(epochs=60, learning_rate_multiplier=15.0, adapter_size=LAYOUT.rank)
    steps = tune(tmp_path, by_heart, examples=examples)
    assert steps[-1].metrics["train_total_loss"] < 0.1
    asked = [Conversation(None, one.turns[:1]) for one in examples]
    assert answer(Tiny(), asked, tmp_path / "10") == ["a0", "a1", "a2", "a3"]


def test_it_goes_on_from_what_it_learnt_before(tmp_path: Path) -> None:
    keen = replace(TWO_EPOCHS, epochs=10, learning_rate_multiplier=15.0)
    before = tune(tmp_path / "a", keen)[-1].metrics["train_total_loss"]
    onward = replace(TWO_EPOCHS, continue_from=tmp_path / "a" / "10")
    anew = tune(tmp_path / "b")[0].metrics["train_total_loss"]
    again = tune(tmp_path / "b", onward)[0].metrics["train_total_loss"]
    assert again < (before + anew) / 2


def test_it_goes_on_in_the_layers_it_was_begun_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smollm2, "LAYERS", 1)
    tune(tmp_path / "a")
    monkeypatch.undo()
    tune(tmp_path / "b", replace(TWO_EPOCHS, continue_from=tmp_path / "a" / "2"))
    tune(tmp_path / "c")
    rows = [len(adapter(tmp_path / run / "2")) for run in "abc"]
    assert rows == [1, 1, SHAPE.layers]


def test_an_adapter_of_another_size_is_not_continued(tmp_path: Path) -> None:
    tune(tmp_path / "a")
    other = replace(TWO_EPOCHS, adapter_size=8, continue_from=tmp_path / "a" / "2")
    with pytest.raises(TrainerError, match="has rank 4"):
        tune(tmp_path / "b", other)


def test_a_checkpoint_written_anew_is_read_anew(tmp_path: Path) -> None:
    trainer = Tiny()
    tune(tmp_path, replace(TWO_EPOCHS, learning_rate_multiplier=20.0))
    before = answer(trainer, colour_prompts(), tmp_path / "2")
    tune(tmp_path, replace(TWO_EPOCHS, learning_rate_multiplier=20.0, seed=1))
    assert answer(trainer, colour_prompts(), tmp_path / "2") != before


def test_a_missing_checkpoint_is_an_error_and_never_the_base_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        answer(Tiny(), [prompt("q1")], tmp_path / "1")


def test_no_prompts_get_no_answers() -> None:
    assert answer(Tiny(), [], None) == []
    assert Tiny().count_tokens([]) == []


def test_the_real_model_answers_and_learns(tmp_path: Path) -> None:
    trainer = SmolLM2()
    short, long = trainer.count_tokens([prompt("Hello"), prompt("Hello " * 50)])
    assert (short, long > short + 49) == (6, True)
    [said] = answer(trainer, [prompt("What is the capital of France?")], None)
    assert "Paris" in said
    first, second = trainer.tune(colour_examples(), [], TWO_EPOCHS, tmp_path)
    assert second.metrics["train_total_loss"] < first.metrics["train_total_loss"]
