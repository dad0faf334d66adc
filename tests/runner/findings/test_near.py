"""Near: what is nearly the same is found wherever it stands, and what shares a frame is not."""

import random
from pathlib import Path

import pytest

from tests.runner.findings.datasets import Data, findings, said

VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]


def text(seed: int, count: int = 40) -> list[str]:
    return random.Random(seed).choices(VOCABULARY, k=count)


def changed(words: list[str], seed: int, count: int) -> list[str]:
    """`count` words of it are others."""
    chosen = random.Random(seed)
    words = list(words)
    for place in chosen.sample(range(len(words)), count):
        words[place] = "another"
    return words


def rows(words: list[list[str]], frame: str = "{}", answer: str = "x") -> list[tuple[str, str]]:
    return [(frame.format(" ".join(some)), f"{answer} {i}") for i, some in enumerate(words)]


def test_every_text_with_a_word_or_two_changed_is_found_and_no_other(tmp_path: Path) -> None:
    texts = [text(seed) for seed in range(400)]
    again = [changed(texts[seed], seed, 1 + seed % 2) for seed in range(0, 400, 4)]
    found = said(findings(tmp_path, "chat", rows(texts + again)), "VT-D103")
    assert found == [
        f"train.jsonl:{401 + place}: is nearly the same as line {1 + 4 * place}"
        for place in range(100)
    ]


def test_half_a_text_that_is_the_same_is_another_text(tmp_path: Path) -> None:
    texts = [text(seed) for seed in range(100)]
    half = [one[:20] + text(1000 + place, 20) for place, one in enumerate(texts)]
    assert said(findings(tmp_path, "chat", rows(texts + half)), "VT-D103") == []


def test_a_frame_that_all_prompts_have_makes_them_no_more_alike(tmp_path: Path) -> None:
    frame = "What is the topic of this text? Choose: " + " ".join(text(1, 200)) + "\n{}\nAnswer:"
    assert (
        said(findings(tmp_path, "chat", rows([text(s, 12) for s in range(60)], frame)), "VT-D103")
        == []
    )


def test_a_leak_is_found_across_splits_with_both_places(tmp_path: Path) -> None:
    texts = [text(seed) for seed in range(50)]
    data: Data = {"train": rows(texts), "test": rows([text(99), changed(texts[7], 1, 2)])}
    assert said(findings(tmp_path, "chat", data), "VT-D107") == [
        "test.jsonl:2: is nearly the same as one of the training data (train.jsonl:8)"
    ]


@pytest.mark.parametrize(("answer", "count"), [("the same", 1), ("another", 0)])
def test_two_questions_about_one_context_are_the_same_if_their_answers_are(
    tmp_path: Path, answer: str, count: int
) -> None:
    context = " ".join(text(1, 60))
    data = [
        (f"question: who? context: {context} the same another", "the same"),
        (f"question: what? context: {context} the same another", answer),
    ]
    assert len(said(findings(tmp_path, "extractive_qa", data), "VT-D103")) == count


def test_a_script_without_spaces_is_compared_by_characters(tmp_path: Path) -> None:
    one = "昨日の会議では来年度の予算について話し合い新しい機械を買うことに決めました"
    data = [
        (one, "a"),
        (one.replace("予算", "計画"), "b"),
        ("今日は天気がいいので散歩に行きましょうか", "c"),
    ]
    assert len(said(findings(tmp_path, "chat", data), "VT-D103")) == 1
