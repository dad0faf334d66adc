"""Evaluation: answers on held-out examples, of the tuned and of the base model, scored."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from jobs.runner.dataset import Split
from jobs.runner.example import Example
from jobs.runner.ledger import Score
from jobs.runner.spec import Metric
from jobs.runner.vertex import Vertex, location_of

_AT_ONCE = 8
_MOST_TOKENS = 1024
_CONFIDENCE = 0.95


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
        answer = serving.generate(model, example.prompt, example.system, most)
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

    if len(marks) < 2:
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
    else:
        for expected, said in pairs:
            yield float(normalised(expected) == normalised(said))


def _rouge(pairs: Iterable[tuple[str, str]]) -> Iterator[float]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    for expected, said in pairs:
        yield float(scorer.score(expected, said)["rougeL"].fmeasure)


def normalised(text: str) -> str:
    """Lower case, without articles, punctuation and doubled spaces.

    The rule of SQuAD's evaluation: https://rajpurkar.github.io/SQuAD-explorer/
    """
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())
