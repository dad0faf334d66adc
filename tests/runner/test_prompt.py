"""Prompts: what a dataset's prompts share is found, and new texts get it once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner import dataset
from jobs.runner.prompt import Prompt, Template

ROOT = Path(__file__).parents[2]


def template(*prompts: str, system: str | None = None) -> Prompt:
    found = Template()
    for prompt in prompts:
        found.narrow(system, prompt)
    return found.prompt()


def test_what_all_prompts_start_and_end_with_is_the_template() -> None:
    found = template("Topic? Text: A cup.\nAnswer:", "Topic? Text: The bank.\nAnswer:")
    assert found == Prompt(None, "Topic? Text: ", "\nAnswer:")


def test_a_template_is_found_whatever_the_texts_end_with() -> None:
    assert template("Text: A cup\nAnswer:", "Text: The bank\nAnswer:").suffix == "\nAnswer:"
    assert template("Text: \nAnswer:", "Text: x\nAnswer:") == Prompt(None, "Text: ", "\nAnswer:")


def test_the_template_of_the_headlines_is_found() -> None:
    found = dataset.read(dataset.local_sources(ROOT, "datasets/headlines"), None).train
    assert found.prompt.prefix == (
        "Multi-choice problem: What is the topic of this text?\n- business\n- entertainment\n"
        "- health\n- sports\n- technology\n- politics\nText: "
    )
    assert found.prompt.suffix == "\nThe answer is:"
    prompts = [example.prompt for example in found.read(None)]
    assert len(prompts) == 126
    start, end = len(found.prompt.prefix), len(found.prompt.suffix)
    assert all(found.prompt.wrap(prompt) == prompt for prompt in prompts)
    assert all(found.prompt.wrap(prompt[start:-end]) == prompt for prompt in prompts)


@pytest.mark.parametrize(
    "prompts",
    [
        (),
        ("Text: one\nAnswer:",),
        ("Text: one\nAnswer:", "Text: one\nAnswer:"),
        ("alike", "alive"),
        ("The cat sat.", "The cat ran."),
        ("q: \nq: ", "q: "),
    ],
)
def test_texts_that_are_merely_alike_have_no_template(prompts: tuple[str, ...]) -> None:
    assert template(*prompts) == Prompt(None, "", "")


def test_words_are_not_cut_in_two() -> None:
    assert template("Text: premiere", "Text: premium").prefix == "Text: "


def test_one_system_instruction_of_all_is_kept() -> None:
    assert template("a", "b", system="Be brief.").system == "Be brief."
    mixed = Template()
    mixed.narrow("Be brief.", "a")
    mixed.narrow(None, "b")
    assert mixed.prompt().system is None


def test_a_text_is_wrapped_once_and_without_its_blanks() -> None:
    prompt = Prompt(None, "Text: ", "\nAnswer:")
    assert prompt.wrap(" a cup \n") == "Text: a cup\nAnswer:"
    assert prompt.wrap("Text: a cup\nAnswer: ") == "Text: a cup\nAnswer: "


@pytest.mark.parametrize("text", ["a cup", "Text: a cup", "a cup\nAnswer:", "a cup\nAnswer: \n"])
def test_what_a_text_has_of_the_template_is_not_added_again(text: str) -> None:
    assert Prompt(None, "Text: ", "\nAnswer:").wrap(text) == "Text: a cup\nAnswer:"


def test_an_end_of_blanks_is_added_too() -> None:
    assert Prompt(None, "Text: ", "\n").wrap("a cup") == "Text: a cup\n"
    assert Prompt(None, "Text: ", "\n").wrap("Text: a cup") == "Text: a cup\n"


def test_without_a_template_a_text_is_left_alone() -> None:
    assert Prompt(None, "", "").wrap(" a \n") == " a \n"


_PIECES = st.lists(st.sampled_from(["Text: ", "\n", "Answer:", " ", "a", "b:"]), max_size=6)


@given(st.lists(_PIECES.map("".join), max_size=5), _PIECES.map("".join))
def test_wrapping_twice_is_wrapping_once(prompts: list[str], text: str) -> None:
    found = template(*prompts)
    assert found.wrap(found.wrap(text)) == found.wrap(text)


@given(st.lists(_PIECES.map("".join), min_size=1, max_size=5))
def test_every_prompt_has_the_template_already(prompts: list[str]) -> None:
    found = template(*prompts)
    assert all(found.wrap(prompt) == prompt for prompt in prompts)
