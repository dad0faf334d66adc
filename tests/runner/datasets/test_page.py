"""Page: figures of a dataset that a browser draws, whatever its texts hold."""

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.runner.datasets.page import page
from jobs.runner.datasets.stats import Stats, stats
from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.datasets.examples import written


class Seen(HTMLParser):
    """The elements and texts of a page, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.bars: list[int] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.loads += [name for name, _ in attrs if name in ("src", "href", "onload", "onerror")]
        if tag == "rect":
            self.bars.append(int(dict(attrs)["width"] or 0))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_lengths_and_answers_are_drawn(tmp_path: Path) -> None:
    pairs = [("a" * 4, "x"), ("a" * 5, "x"), ("a" * 8, "x"), ("b", "yy")]
    seen = Seen(page("a.jsonl", stats(written(tmp_path / "a.jsonl", pairs))))
    assert (seen.tags["svg"], seen.tags["rect"], seen.tags["script"]) == (3, 7, 0)
    assert seen.bars[:3] == [180, 180, 360]
    assert "4 examples, 23 characters" in seen.texts
    assert {"up to 8", "x", "yy", "a.jsonl"} <= {*seen.texts}
    assert seen.loads == []


def test_answers_beyond_the_most_frequent_are_summed_up() -> None:
    labels = Counter({f"label {i}": 2 for i in range(25)})
    found = Stats(50, 100, Counter({1: 50}), Counter({8: 50}), labels)
    texts = Seen(page("a", found)).texts
    assert texts[texts.index("5 more") + 1] == "10"


@given(st.text(min_size=1), st.text())
def test_no_text_becomes_markup(label: str, name: str) -> None:
    hostile = f'<script src="x">&"\'{label}'
    found = Stats(1, 1, Counter({1: 1}), Counter({1: 1}), Counter({hostile: 1}))
    whole = page(f"<img src=x onerror=y>{name}", found)
    seen = Seen(whole)
    assert (seen.tags["script"], seen.tags["img"], seen.loads) == (0, 0, [])
    assert seen.tags["text"] == 6
    assert "\0" not in whole


@pytest.mark.parametrize("there", [False, True])
def test_the_page_is_a_new_file(repository: Repository, tmp_path: Path, there: bool) -> None:
    old, to = written(tmp_path / "a.jsonl", [("a", "b")]), tmp_path / "a.html"
    if there:
        to.write_text("mine")
    result = vertune(repository, "dataset", "stats", str(old), "--html", str(to))
    assert result.exit_code == there
    if there:
        assert to.read_text() == "mine"
        assert result.stderr == f"{to} exists; name a file that does not\n"
    else:
        assert Seen(to.read_text("utf-8")).tags["svg"] == 3
        assert result.stdout == f"a page of 1 example in {to}\n"
