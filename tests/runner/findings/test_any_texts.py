"""Any texts: whatever stands in them, a check comes to an end and says the same each time."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runner.findings.datasets import findings

BITS = st.sampled_from(
    ["a", "A", " ", "\n", ":", "text:", '"', "```", "{", "[", "@", "1", "+49 ", "0171 ", "2a00:",
     "::", "tel ", "sk-", "://", "é", "Ã©", "日本", "\0", "\x1b", "\U0001f600", "\u2028",
     "password: ", "context: ", "-----BEGIN "]
)  # fmt: skip
TEXTS = st.lists(BITS | st.text(max_size=5), min_size=1, max_size=12).map("".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=25)


def checked(task: str, train: list[tuple[str, str]], test: list[tuple[str, str]]) -> list[str]:
    with tempfile.TemporaryDirectory() as root:
        return list(map(str, findings(Path(root), task, {"train": train, "test": test})))


@pytest.mark.parametrize("task", ["classification", "summarization", "extractive_qa", "chat"])
@settings(max_examples=40, deadline=None)
@given(train=PAIRS, test=PAIRS)
def test_a_check_ends_and_says_the_same_again(
    task: str, train: list[tuple[str, str]], test: list[tuple[str, str]]
) -> None:
    said = checked(task, train, test)
    assert said == checked(task, train, test)
    assert all(one.isprintable() for one in said)


def test_the_same_texts_in_another_split_are_all_said_to_have_leaked() -> None:
    texts = [(f"prompt number {i}", f"answer {i}") for i in range(30)]
    said = checked("chat", texts, texts)
    assert sum(" VT-D105: " in one for one in said) == 30
