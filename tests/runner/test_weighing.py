"""Weighing: a part of the examples tells of all, whatever their order."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.example import Example
from jobs.runner.forms import turn
from jobs.runner.tokens import Guess, guess
from jobs.runner.weighing import Weighing, text

ENGLISH = "the bank and the river of the town are of the same name, and it is old"
CHINESE = "渡轮早上七点从北码头出发。最后一班是十点。请准时到达。"


def example(prompt: str) -> Example:
    return Example("contents", "Answer.", (turn("user", prompt), turn("model", "yes")))


def weighed(*blocks: list[Example]) -> float:
    weighing = Weighing()
    for block in blocks:
        weighing.take(block, [one.characters for one in block])
    return weighing.total().tokens


def test_few_examples_are_all_looked_at() -> None:
    few = [example(f"{ENGLISH} {number}") for number in range(100)]
    told = guess([text(one) for one in few]).tokens
    # Spaces between turns are no characters of an example.
    assert abs(weighed(few) / told - 1) < 0.05


def test_a_file_that_changes_in_the_middle_is_weighed_as_what_it_is() -> None:
    first, second = [example(ENGLISH)] * 50, [example(CHINESE)] * 50
    apart = weighed(*[first] * 64) + weighed(*[second] * 64)
    assert abs(weighed(*[first] * 64, *[second] * 64) / apart - 1) < 0.05


def test_what_comes_after_the_last_look_counts_too() -> None:
    block = [example(ENGLISH)] * 50
    assert abs(weighed(*[block] * 10) / (10 * weighed(block)) - 1) < 0.1


def test_nothing_weighs_nothing() -> None:
    assert weighed() == weighed([]) == 0


def test_one_example_longer_than_a_look_is_weighed_by_its_beginning() -> None:
    long = example(ENGLISH * 5000)
    assert abs(weighed([long]) / guess([text(long)]).tokens - 1) < 0.05


def test_a_long_example_weighs_by_its_length() -> None:
    mixed = [*[example(CHINESE)] * 3, example(ENGLISH * 5000), *[example(CHINESE)] * 3]
    alone = weighed([example(ENGLISH * 5000)])
    assert abs(weighed(mixed) / alone - 1) < 0.05


@given(st.lists(st.lists(st.integers(1, 3000), max_size=8), max_size=20))
def test_however_long_examples_are_no_look_is_longer_than_it_may_be(
    blocks: list[list[int]],
) -> None:
    looks: list[int] = []

    def looked(texts: Sequence[str]) -> Guess:
        looks.append(sum(map(len, texts)))
        return guess(texts)

    weighing = Weighing(looked)
    for block in blocks:
        some = [example("a" * size) for size in block]
        weighing.take(some, [one.characters for one in some])
    assert weighing.total().tokens >= 0
    assert all(look <= 40 * 1024 for look in looks)
    assert bool(looks) == any(blocks)
