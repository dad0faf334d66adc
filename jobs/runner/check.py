"""Findings: what is wrong with a spec and its data, and what would serve it better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import SPLITS, Dataset
from jobs.runner.errors import Problem
from jobs.runner.estimate import EXAMPLES_PER_STEP, epochs_of
from jobs.runner.spec import SpecFile, Task

Severity = Literal["error", "warning", "advice"]


@dataclass(frozen=True)
class Finding:
    """One thing to mend (error), to look at (warning) or to consider (advice)."""

    severity: Severity
    problem: Problem

    def __str__(self) -> str:
        return f"{self.severity}: {self.problem}"


@dataclass(frozen=True)
class Recommended:
    """Examples and steps that tend to work for a task."""

    examples: int
    steps: tuple[int, int]
    source: str = "https://cloud.google.com/vertex-ai/docs/generative-ai/models/tune-models"


# Google's table of 2023, in its unit of steps: 8 examples each.
RECOMMENDED: Mapping[Task, Recommended] = {
    "classification": Recommended(100, (100, 500)),
    "summarization": Recommended(100, (200, 1000)),
    "extractive_qa": Recommended(100, (100, 500)),
}


def findings(
    file: SpecFile, dataset: Dataset, facts: BaseModelFacts | None, region: str, today: date
) -> list[Finding]:
    """Everything there is to say about one spec, errors first."""
    found = [Finding("error", problem) for problem in dataset.problems]
    found += [Finding("error", problem) for problem in _limits(file, dataset, facts, region, today)]
    if "train" in dataset.splits and dataset.train.examples:
        found += [Finding("warning", problem) for problem in _repeats(dataset)]
        found += [Finding("advice", problem) for problem in _advice(file, dataset)]
    return found


def _limits(
    file: SpecFile, dataset: Dataset, facts: BaseModelFacts | None, region: str, today: date
) -> Iterator[Problem]:
    if facts is None:
        return
    if facts.retired(today):
        yield file.problem("base_model", f"was retired on {facts.retires}; choose another one")
    if region not in facts.regions:
        where = " or ".join(facts.regions)
        yield file.problem(
            "base_model", f"cannot be tuned in {region}; the stack must be in {where}"
        )
    size = file.spec.tuning.adapter_size
    if size is not None and size not in facts.adapter_sizes:
        known = ", ".join(map(str, facts.adapter_sizes))
        yield file.problem(
            "tuning.adapter_size", f"is not one {file.spec.base_model} takes: {known}"
        )
    validation = dataset.splits.get("validation")
    if validation and validation.examples > facts.validation_examples:
        what = (
            f"holds {validation.examples} examples; at most {facts.validation_examples} are taken"
        )
        yield Problem(validation.source.shown, 0, "", what)


def _repeats(dataset: Dataset) -> Iterator[Problem]:
    for split in dataset.splits.values():
        for line, first in split.repeated:
            yield Problem(split.source.shown, line, "", f"is the same example as line {first}")
    train = dataset.train
    for held_out in (dataset.splits[name] for name in SPLITS[1:] if name in dataset.splits):
        for digest, line in held_out.lines.items():
            if digest in train.lines:
                where = f"{train.source.shown}:{train.lines[digest]}"
                what = f"is also in the training data ({where}): its score means nothing"
                yield Problem(held_out.source.shown, line, "", what)


def _advice(file: SpecFile, dataset: Dataset) -> Iterator[Problem]:
    train, task = dataset.train, file.spec.task
    _, notes = epochs_of(file.spec.tuning, train.examples)
    for note in notes:
        yield file.problem("tuning.steps" if "steps" in note else "tuning.learning_rate", note)
    for name, use in zip(SPLITS[1:], ("to watch the tuning", "to score the result"), strict=True):
        if name not in dataset.splits:
            yield file.problem("dataset", f"has no {name} split {use}")
    if recommended := RECOMMENDED.get(task):
        yield from _sizes(file, train.examples, task, recommended)


def _sizes(file: SpecFile, examples: int, task: Task, table: Recommended) -> Iterator[Problem]:
    if examples < table.examples:
        what = (
            f"has {examples} training examples; for {task} {table.examples} or more are recommended"
            f" ({table.source})"
        )
        yield file.problem("dataset", what)
    epochs, _ = epochs_of(file.spec.tuning, examples)
    if epochs is None:
        what = "the service chooses the epochs, and its choice can multiply the bill; set it"
        yield file.problem("tuning.epochs", what)
        return
    steps = epochs * examples // EXAMPLES_PER_STEP
    low, high = table.steps
    if not low <= steps <= high:
        what = (
            f"{epochs} epochs of {examples} examples are {steps} steps of {EXAMPLES_PER_STEP};"
            f" for {task} {low} to {high} are recommended ({table.source})"
        )
        yield file.problem("tuning.steps" if file.spec.tuning.steps else "tuning.epochs", what)
