"""Evaluation: answers on held-out examples, of the tuned and of the base model, scored."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from msgspec import to_builtins

from jobs.runner.dataset import Split
from jobs.runner.entry import Score
from jobs.runner.example import Example
from jobs.runner.spec import Metric
from jobs.runner.vertex import Vertex, location_of

_AT_ONCE = 32
_MOST_TOKENS = 1024
_CONFIDENCE = 0.95
_QUOTES = "\"'` \u2018\u2019\u201c\u201d"


@dataclass(frozen=True)
class Row:
    """One held-out example: what was asked and expected, and what each model said."""

    prompt: str
    expected: str
    base: str
    tuned: str


def evaluate(
    vertex: Vertex,
    split: Split,
    instructions: str | None,
    *,
    base_model: str,
    endpoint: str,
    metric: Metric,
    answered: Callable[[], None],
) -> tuple[Score, list[Row]]:
    """Score both models on every example of `split`; `answered` is called after each answer."""
    examples = list(split.read(instructions))
    serving = vertex.at(location_of(endpoint))
    most = answer_tokens(split.longest_answer)

    def ask(model: str, example: Example) -> str:
        turns = [to_builtins(turn) for turn in example.contents[:-1]]
        answer = serving.generate(model, turns, example.system, most, example.tools)
        answered()
        return answer.text

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        base = list(pool.map(lambda example: ask(base_model, example), examples))
        tuned = list(pool.map(lambda example: ask(endpoint, example), examples))
    rows = [
        Row(example.prompt, example.answer, *said)
        for example, *said in zip(examples, base, tuned, strict=True)
    ]
    return score(metric, rows), rows


def answer_tokens(longest_answer: int) -> int:
    """Room for an answer of as many characters, with some to spare."""
    return min(longest_answer // 3 + 8, _MOST_TOKENS)


def score(metric: Metric, rows: Sequence[Row]) -> Score:
    tuned = list(_marks(metric, ((row.expected, row.tuned) for row in rows)))
    base = list(_marks(metric, ((row.expected, row.base) for row in rows)))
    low, high = interval(tuned, metric)
    return Score(
        metric=metric, n=len(rows), tuned=_mean(tuned), base=_mean(base), low=low, high=high
    )


def _mean(marks: Sequence[float]) -> float:
    return sum(marks) / len(marks) if marks else 0.0


def interval(marks: Sequence[float], metric: Metric) -> tuple[float, float]:
    """The 95 % interval of the mean: Wilson's where a mark is 0 or 1, else Student's."""
    from scipy import stats

    if not marks or (metric == "rouge_l" and len(marks) == 1):
        return 0.0, 1.0
    if metric != "rouge_l":
        right = stats.binomtest(round(sum(marks)), len(marks))
        found = right.proportion_ci(_CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)
    error = float(stats.sem(marks))
    if error == 0:
        return _mean(marks), _mean(marks)
    low, high = stats.t.interval(_CONFIDENCE, len(marks) - 1, loc=_mean(marks), scale=error)
    return max(0.0, float(low)), min(1.0, float(high))


def _marks(metric: Metric, pairs: Iterable[tuple[str, str]]) -> Iterator[float]:
    if metric == "rouge_l":
        yield from _rouge(pairs)
        return
    same = label if metric == "accuracy" else span
    for expected, said in pairs:
        yield float(same(expected) == same(said))


def label(text: str) -> str:
    """A class as it is compared: case, spaces, quotes and full stops around it do not count.

    Signs within it do: "C++" is not "C#", nor "-1" the same as "1".
    """
    text = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return text.lstrip(_QUOTES).rstrip(_QUOTES + ".") or text


def span(text: str) -> str:
    """A passage as it is compared: lower case, without articles, punctuation and doubled spaces.

    The rule of SQuAD's evaluation: https://rajpurkar.github.io/SQuAD-explorer/
    What would leave nothing is compared as a label.
    """
    plain = "".join(
        c for c in unicodedata.normalize("NFC", text).lower() if c not in string.punctuation
    )
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split()) or label(text)


def _rouge(pairs: Iterable[tuple[str, str]]) -> Iterator[float]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    for expected, said in pairs:
        yield float(scorer.score(expected, said)["rougeL"].fmeasure)


class _Words:
    """The library's own words, stems in lower case, and those of letters beyond a to z as well.

    By itself it would make nothing of a summary in Greek, and score 0 whatever was said.
    """

    def __init__(self) -> None:
        from rouge_score.tokenizers import DefaultTokenizer

        self._stems = DefaultTokenizer(use_stemmer=True)

    def tokenize(self, text: str) -> list[str]:
        words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).lower())
        return [
            token
            for word in words
            for token in (self._stems.tokenize(word) if word.isascii() else [word])
        ]
