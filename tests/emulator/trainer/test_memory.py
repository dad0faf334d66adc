"""Memory: every key has its value, and what is kept fits."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.trainer.memory import Memory

WORDS = st.lists(st.sampled_from(["", "a", "bb", "cc", "ddd", "eeeee"]), max_size=6)


class Asked:
    """Shouts words, and knows which it was asked for."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def shout(self, words: list[str]) -> list[str]:
        self.words += words
        return [word.upper() for word in words]


def new_memory(capacity: int) -> Memory[str, str]:
    return Memory(capacity, len)


@given(st.integers(0, 12), st.lists(WORDS))
def test_every_key_has_its_value_whatever_was_forgotten(
    capacity: int, asked: list[list[str]]
) -> None:
    memory = new_memory(capacity)
    for words in asked:
        assert memory.recall(words, Asked().shout) == [word.upper() for word in words]


@given(st.lists(WORDS))
def test_what_fits_is_made_once(asked: list[list[str]]) -> None:
    memory, maker = new_memory(100), Asked()
    for words in asked:
        memory.recall(words, maker.shout)
    assert sorted(maker.words) == sorted({word for words in asked for word in words})


def test_what_was_used_longest_ago_is_made_again_first() -> None:
    memory, maker = new_memory(4), Asked()
    for word in ("aa", "bb", "aa", "cc", "aa", "bb"):
        memory.recall([word], maker.shout)
    assert maker.words == ["aa", "bb", "cc", "bb"]


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    memory, maker = new_memory(4), Asked()
    for word in ("eeeee", "a", "eeeee"):
        memory.recall([word], maker.shout)
    assert maker.words == ["eeeee", "a", "eeeee"]


def test_makers_are_not_asked_for_nothing() -> None:
    memory, maker = new_memory(4), Asked()
    assert memory.recall([], lambda words: words[: 1 // 0]) == []
    assert memory.recall(["a", "a"], maker.shout) == ["A", "A"]
    assert maker.words == ["a"]
