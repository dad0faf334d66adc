"""Sketch: enough of a test split to tell what became of it, and nothing of what is asked."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner import dataset, sketch
from jobs.runner.dataset import NoDataset, Split
from jobs.runner.datasets.diff import compare
from jobs.runner.lines import Source
from tests.conftest import example

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y z", "long " * 20])))


def split(pairs: list[tuple[str, str]]) -> Split:
    data = "".join(example(*pair) for pair in pairs).encode()
    source = Source("test.jsonl", lambda: io.BytesIO(data))
    return dataset.read({"test": source}, None).splits["test"]


@given(PAIRS, PAIRS)
def test_a_sketch_tells_what_whole_examples_tell(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    before, after = split(old), split(new)
    if not (old and new):
        return
    now = sketch.digested(sketch.said(after.source))
    found = compare(sketch.unpacked(sketch.sketch(before)), now)
    whole = compare(sketch.said(before.source), sketch.said(after.source))
    assert (found.added, found.removed, found.changed) == (
        whole.added,
        whole.removed,
        whole.changed,
    )
    assert [*found.labels.values()] == [*whole.labels.values()]


def test_what_is_asked_and_long_answers_are_digests() -> None:
    (one, other) = sketch.sketch(split([("a secret", "b" * 41), ("c", "sports news")]))
    assert "secret" not in one
    assert "bbb" not in one
    assert other.endswith(" sports news")


def test_of_too_many_examples_nothing_is_kept() -> None:
    pairs = [(f"a{number}", "b") for number in range(5_001)]
    assert len(sketch.sketch(split(pairs[:-1]))) == 5_000
    assert sketch.sketch(split(pairs)) == []


def test_what_went_bad_since_is_not_compared() -> None:
    bad = Source("test.jsonl", lambda: io.BytesIO(b"{"))
    with pytest.raises(NoDataset, match=r"test\.jsonl holds lines that are no examples"):
        list(sketch.said(bad))

    def gone() -> io.BytesIO:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(NoDataset, match=r"test\.jsonl cannot be read: No such file"):
        list(sketch.said(Source("test.jsonl", gone)))
