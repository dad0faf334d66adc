"""Statistics of a tuning dataset, as a job reports them; never the examples' text."""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from jobs.emulator.vertex.dataset import Examples

_SAMPLE = 10
_BUCKETS = 10


def data_stats(examples: Examples, epochs: int) -> dict[str, Any]:
    kept = examples.kept
    stats: dict[str, Any] = {
        "tuningDatasetExampleCount": str(len(kept)),
        "totalTuningCharacterCount": str(sum(example.characters for example in kept)),
        "totalBillableTokenCount": str(epochs * sum(example.tokens for example in kept)),
        "userInputTokenDistribution": _distribution(
            [example.input_tokens for example in kept], epochs
        ),
        "userOutputTokenDistribution": _distribution(
            [example.output_tokens for example in kept], epochs
        ),
        "userMessagePerExampleDistribution": _distribution(
            [len(example.conversation.turns) for example in kept], epochs
        ),
    }
    if examples.dropped:
        sample = list(examples.dropped.items())[:_SAMPLE]
        stats["totalTruncatedExampleCount"] = str(len(examples.dropped))
        stats["truncatedExampleIndices"] = [str(index) for index, _ in sample]
        stats["droppedExampleReasons"] = [reason for _, reason in sample]
    return {"supervisedTuningDataStats": stats}


def _distribution(values: Sequence[int], epochs: int) -> dict[str, Any]:
    ordered = sorted(values)
    return {
        "sum": str(sum(ordered)),
        "billableSum": str(epochs * sum(ordered)),
        "min": ordered[0],
        "max": ordered[-1],
        "mean": statistics.fmean(ordered),
        "median": statistics.median(ordered),
        "p5": _percentile(ordered, 0.05),
        "p95": _percentile(ordered, 0.95),
        "buckets": _buckets(ordered),
    }


def _percentile(ordered: Sequence[int], share: float) -> int:
    """The nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _buckets(ordered: Sequence[int]) -> list[dict[str, float]]:
    low, high = ordered[0], ordered[-1]
    width = (high - low) / _BUCKETS
    if width == 0:
        return [{"count": len(ordered), "left": low, "right": high}]
    counts = [0] * _BUCKETS
    for value in ordered:
        counts[min(_BUCKETS - 1, int((value - low) / width))] += 1
    return [
        {"count": count, "left": low + number * width, "right": low + (number + 1) * width}
        for number, count in enumerate(counts)
    ]
