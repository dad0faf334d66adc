"""Nearest: answers of the most similar example, openly without a language model."""

from dataclasses import replace
from pathlib import Path

from jobs.emulator.trainer.base import Settings
from jobs.emulator.trainer.nearest import Nearest
from tests.emulator.trainer.texts import COLOURS, colour_examples, colour_prompts, example, prompt

TWO_EPOCHS = Settings(epochs=2, learning_rate_multiplier=1.0, adapter_size=4)


def generate(adapter: Path | None, text: str, max_tokens: int = 20) -> str:
    [answer] = Nearest().generate(
        [prompt(text)], adapter, max_tokens=max_tokens, temperature=0.0, seed=0
    )
    return answer


def test_the_description_says_openly_that_there_is_no_language_model() -> None:
    assert "without a language model" in Nearest.description


def test_it_knows_its_training_examples_by_heart(tmp_path: Path) -> None:
    list(Nearest().tune(colour_examples(), [], TWO_EPOCHS, tmp_path))
    answers = Nearest().generate(
        colour_prompts(), tmp_path / "2", max_tokens=20, temperature=0.0, seed=0
    )
    assert answers == list(COLOURS.values())


def test_it_goes_on_from_what_it_learnt_before(tmp_path: Path) -> None:
    list(Nearest().tune(colour_examples(), [], TWO_EPOCHS, tmp_path / "a"))
    onward = replace(TWO_EPOCHS, continue_from=tmp_path / "a" / "2")
    list(Nearest().tune([example("orchestra", "music")], [], onward, tmp_path / "b"))

    prompts = [*colour_prompts(), prompt("orchestra")]
    answers = Nearest().generate(
        prompts, tmp_path / "b" / "2", max_tokens=20, temperature=0.0, seed=0
    )
    assert answers == [*COLOURS.values(), "music"]


def test_a_new_prompt_gets_the_response_of_the_most_similar_one(tmp_path: Path) -> None:
    list(Nearest().tune(colour_examples(), [], TWO_EPOCHS, tmp_path))
    assert generate(tmp_path / "2", "What is the colour of fresh snow?") == "white"


def test_without_an_adapter_it_echoes_the_first_words_of_the_prompt() -> None:
    assert generate(None, "one two three four", max_tokens=2) == "one two"


def test_a_system_instruction_is_part_of_the_prompt(tmp_path: Path) -> None:
    examples = [example("Hello", "Bonjour", "French"), example("Hello", "Hallo", "German")]
    list(Nearest().tune(examples, [], TWO_EPOCHS, tmp_path))
    answers = Nearest().generate(
        [prompt("Hello", "German"), prompt("Hello", "French")],
        tmp_path / "2",
        max_tokens=20,
        temperature=0.0,
        seed=0,
    )
    assert answers == ["Hallo", "Bonjour"]


def test_its_metrics_are_measured_before_it_has_seen_the_answers(tmp_path: Path) -> None:
    first, second = Nearest().tune(colour_examples(), colour_examples(), TWO_EPOCHS, tmp_path)
    assert first.metrics["train_fraction_of_correct_next_step_preds"] == 0.0
    assert second.metrics["train_fraction_of_correct_next_step_preds"] == 1.0
    assert second.metrics["train_num_predictions"] == len(COLOURS)
    assert second.metrics["eval_total_loss"] == 0.0


def test_a_step_knows_its_place_and_its_checkpoint(tmp_path: Path) -> None:
    examples = [example(f"question {n}", f"answer {n}") for n in range(20)]
    steps = list(Nearest().tune(examples, [], TWO_EPOCHS, tmp_path))
    assert [(s.step, s.steps, s.epoch) for s in steps] == [
        (1, 6, 1),
        (2, 6, 1),
        (3, 6, 1),
        (4, 6, 2),
        (5, 6, 2),
        (6, 6, 2),
    ]
    assert [s.checkpoint for s in steps] == [None, None, "1", None, None, "2"]
