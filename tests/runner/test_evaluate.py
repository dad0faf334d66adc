"""Scores: what counts as the same answer, and how sure a score is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from jobs.runner.evaluate import Row, answer_tokens, interval, label, score, span

ROOT = Path(__file__).parents[2]


def rows(*answers: tuple[str, str, str]) -> list[Row]:
    return [Row("prompt", expected, base, tuned) for expected, base, tuned in answers]


# The same answer


@pytest.mark.parametrize(
    "said", ["sports", "Sports", " sports\n", "sports.", '"Sports"', "“sports.”", "`sports`"]
)
def test_a_class_may_be_said_in_other_clothes(said: str) -> None:
    assert label(said) == label("sports")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "B"),
        ("A", ""),
        ("the", ""),
        ("C++", "C#"),
        ("-1", "1"),
        ("+", "-"),
        ("sports", "sport"),
    ],
)
def test_classes_that_differ_by_a_sign_or_an_article_are_different(one: str, other: str) -> None:
    assert label(one) != label(other)


@pytest.mark.parametrize(
    "said", ["ten working days", "Ten working days.", "the ten working-days", "a ten  working days"]
)
def test_a_passage_is_compared_as_squad_does(said: str) -> None:
    same = span(said) == span("ten working days")
    assert same == ("working-days" not in said)


def test_a_passage_of_articles_and_signs_is_compared_as_it_is() -> None:
    assert span("The") == "the"
    assert span("$") != span("%")
    assert span("") == ""


def test_letters_count_however_they_are_composed() -> None:
    assert label("café") == label("cafe\u0301")
    assert span("café") == span("cafe\u0301")


@given(st.text())
def test_comparing_a_compared_text_changes_nothing(text: str) -> None:
    assert label(label(text)) == label(text)


# Scores


def test_accuracy_is_the_share_of_right_classes() -> None:
    found = score("accuracy", rows(("a", "a", "A."), ("b", "x", "b"), ("c", "", "x")))
    assert (found.metric, found.n) == ("accuracy", 3)
    assert [found.tuned, found.base] == pytest.approx([2 / 3, 1 / 3])


def test_exact_match_forgives_articles_and_punctuation() -> None:
    found = score("exact_match", rows(("the north gate", "gate", "North gate!")))
    assert (found.tuned, found.base) == (1.0, 0.0)


def test_nothing_to_score_is_a_score_of_nothing_known() -> None:
    found = score("accuracy", [])
    assert (found.n, found.tuned, found.low, found.high) == (0, 0.0, 0.0, 1.0)


def test_rouge_is_the_library_s_on_english() -> None:
    lines = (ROOT / "datasets/dialogues/test.jsonl").read_text("utf-8").splitlines()
    answers = [json.loads(line)["contents"][-1]["parts"][0]["text"] for line in lines]
    pairs = list(zip(answers, answers[1:] + answers[:1], strict=True))
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    expected = [scorer.score(one, other)["rougeL"].fmeasure for one, other in pairs]
    found = score("rouge_l", [Row("", one, "", other) for one, other in pairs])
    assert found.tuned == pytest.approx(sum(expected) / len(expected))
    assert 0 < found.tuned < 1
    assert found.base == 0


@pytest.mark.parametrize(
    "text", ["हिन्दी में सार", "Поезд ушёл рано", "電車は 出た", "größere Häuser"]
)
def test_rouge_reads_other_letters_too(text: str) -> None:
    assert score("rouge_l", rows((text, "x", text))).tuned == 1.0


def test_rouge_counts_what_is_said_in_the_same_order() -> None:
    found = score(
        "rouge_l", rows(("the cat sat on the mat", "mat the on sat cat the", "the cat sat"))
    )
    assert found.tuned == pytest.approx(2 * 1.0 * 0.5 / 1.5)
    assert found.base < found.tuned


# Intervals


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_a_share_is_wilson_s(right: int, of: int, low: float, high: float) -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion (1998), method 3."""
    found = interval([1.0] * right + [0.0] * (of - right), "accuracy")
    assert list(found) == pytest.approx([low, high], abs=6e-5)


def test_the_interval_of_a_mean_is_student_s() -> None:
    found = interval([0.1, 0.2, 0.3, 0.4, 0.5], "rouge_l")
    assert list(found) == pytest.approx([0.3 - 0.19632, 0.3 + 0.19632], abs=1e-5)


def test_one_summary_says_nothing_of_the_next() -> None:
    assert interval([0.7], "rouge_l") == (0.0, 1.0)


def test_summaries_that_all_score_alike_have_no_width() -> None:
    assert interval([0.5, 0.5, 0.5], "rouge_l") == (0.5, 0.5)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=50))
def test_the_interval_lies_in_the_scale_and_holds_the_share(marks: list[float]) -> None:
    low, high = interval(marks, "exact_match")
    assert 0 <= low <= sum(marks) / len(marks) + 1e-9
    assert sum(marks) / len(marks) - 1e-9 <= high <= 1


def test_room_for_an_answer_grows_with_the_longest_one_up_to_a_limit() -> None:
    assert answer_tokens(0) == 8
    assert answer_tokens(len("sports")) == 10
    assert answer_tokens(10**6) == 1024
