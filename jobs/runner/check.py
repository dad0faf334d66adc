"""Findings: what is wrong with a spec and its data, and what would serve it better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Literal

from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import SPLITS, Dataset, Split
from jobs.runner.errors import Problem
from jobs.runner.estimate import EXAMPLES_PER_STEP, converted, counted, epochs_of, tokens_of
from jobs.runner.spec import SpecFile, Task

Severity = Literal["error", "warning", "advice"]

_MOST_REPEATS = 20  # said one by one; of more the number
_NOTICE = timedelta(days=90)

# Above 1000 validation examples, at most 30 % of the training examples. The source is the
# catalog's `about`, which has the fixed limits.
_FREE_VALIDATION, _VALIDATION_SHARE = 1000, 0.3


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


# Google's table of 2023 for these tasks, in its unit of steps: 8 examples each.
RECOMMENDED: Mapping[Task, Recommended] = {
    "classification": Recommended(100, (100, 500)),
    "summarization": Recommended(100, (200, 1000)),
    "extractive_qa": Recommended(100, (100, 500)),
}
RECOMMENDED_SOURCE = "https://cloud.google.com/vertex-ai/docs/generative-ai/models/tune-models"


def findings(
    file: SpecFile,
    dataset: Dataset,
    facts: BaseModelFacts | None,
    region: str,
    today: date,
    simulated: bool = False,
) -> list[Finding]:
    """Everything there is to say about one spec, errors first."""
    found = [Finding("error", problem) for problem in dataset.problems]
    if facts is not None:
        found += [Finding("error", p) for p in _limits(file, dataset, facts, region)]
        found += _retirement(file, facts, today, simulated)
    found += [Finding("error", problem) for problem in _unscored(file, dataset)]
    if "train" in dataset.splits and dataset.train.examples:
        found += [Finding("warning", problem) for problem in _repeats(dataset)]
        found += [Finding("warning", problem) for problem in _too_long(dataset, facts)]
        found += [Finding("advice", problem) for problem in _advice(file, dataset)]
    return found


def _limits(
    file: SpecFile, dataset: Dataset, facts: BaseModelFacts, region: str
) -> Iterator[Problem]:
    if region not in facts.regions:
        where = " or ".join(facts.regions)
        what = f"cannot be tuned in {region}; the stack must be in {where}"
        yield file.problem("base_model", what)
    size = file.spec.tuning.adapter_size
    if size is not None and size not in facts.adapter_sizes:
        known = ", ".join(map(str, facts.adapter_sizes))
        what = f"{size} is not one that {file.spec.base_model} takes: {known}"
        yield file.problem("tuning.adapter_size", what)
    train = dataset.splits.get("train")
    if train and train.size > facts.training_bytes:
        what = f"holds {train.size:,} bytes; at most {facts.training_bytes:,} are taken"
        yield Problem(train.source.shown, 0, "", what)
    if validation := dataset.splits.get("validation"):
        yield from _validation(validation, dataset, facts)


def _validation(validation: Split, dataset: Dataset, facts: BaseModelFacts) -> Iterator[Problem]:
    count, train = validation.examples, dataset.splits.get("train")
    most = facts.validation_examples
    if count > most:
        what = f"holds {count:,} examples; at most {most:,} are taken"
        yield Problem(validation.source.shown, 0, "", what)
    elif train and count > max(_FREE_VALIDATION, _VALIDATION_SHARE * train.examples):
        what = (
            f"holds {count:,} examples; above {_FREE_VALIDATION:,} it may be at most"
            f" {_VALIDATION_SHARE:.0%} of the {train.examples:,} training examples"
        )
        yield Problem(validation.source.shown, 0, "", what)


def _retirement(
    file: SpecFile, facts: BaseModelFacts, today: date, simulated: bool
) -> Iterator[Finding]:
    """A simulation has nobody to retire its base model: there it is no error."""
    if facts.retired(today):
        what = f"was retired on {facts.retires}; choose another one (`vertune models`)"
        yield Finding("warning" if simulated else "error", file.problem("base_model", what))
    elif facts.retires - today <= _NOTICE:
        what = f"may retire from {facts.retires} on, and what was tuned from it with it"
        yield Finding("warning", file.problem("base_model", what))


def _unscored(file: SpecFile, dataset: Dataset) -> Iterator[Problem]:
    """A pass mark that nothing can reach: it would be found out after the tuning is paid for."""
    if (
        file.spec.evaluation.at_least is not None
        and dataset.splits
        and "test" not in dataset.splits
    ):
        what = (
            "needs a test split, test.jsonl beside train.jsonl; without a score nothing is served"
        )
        yield file.problem("evaluation.at_least", what)


def _repeats(dataset: Dataset) -> Iterator[Problem]:
    for split in dataset.splits.values():
        for line, first in split.repeated[:_MOST_REPEATS]:
            yield Problem(split.source.shown, line, "", f"is the same example as line {first}")
        if (more := len(split.repeated) - _MOST_REPEATS) > 0:
            yield Problem(split.source.shown, 0, "", f"has {more:,} more repeated examples")
    for name in SPLITS[1:]:
        if name in dataset.splits:
            yield from _leaks(dataset.train, dataset.splits[name])


def _leaks(train: Split, held_out: Split) -> Iterator[Problem]:
    leaked = [(line, digest) for digest, line in held_out.lines.items() if digest in train.lines]
    for line, digest in islice(leaked, _MOST_REPEATS):
        where = f"{train.source.shown}:{train.lines[digest]}"
        what = f"is also in the training data ({where}): its score means nothing"
        yield Problem(held_out.source.shown, line, "", what)
    if (more := len(leaked) - _MOST_REPEATS) > 0:
        what = f"has {more:,} more examples that are also in the training data"
        yield Problem(held_out.source.shown, 0, "", what)


def _too_long(dataset: Dataset, facts: BaseModelFacts | None) -> Iterator[Problem]:
    for split in dataset.splits.values():
        characters, line = split.longest
        tokens = tokens_of(characters)
        if facts and tokens > facts.tokens_per_example:
            what = (
                f"has about {tokens:,} tokens; the service drops examples of more than"
                f" {facts.tokens_per_example:,} without a word"
            )
            yield Problem(split.source.shown, line, "", what)


def _advice(file: SpecFile, dataset: Dataset) -> Iterator[Problem]:
    examples, task = dataset.train.examples, file.spec.task
    for setting, note in converted(file.spec.tuning, examples).items():
        yield file.problem(f"tuning.{setting}", note)
    for name, use in zip(SPLITS[1:], ("to watch the tuning", "to score the result"), strict=True):
        if name not in dataset.splits:
            yield file.problem("dataset", f"has no {name} split {use}")
    if recommended := RECOMMENDED.get(task):
        yield from _sizes(file, examples, task, recommended)
    if epochs_of(file.spec.tuning, examples) is None:
        what = "is left to the service, whose choice can multiply the bill; set tuning.epochs"
        yield file.problem("tuning.epochs", what)


def _sizes(file: SpecFile, examples: int, task: Task, table: Recommended) -> Iterator[Problem]:
    if examples < table.examples:
        what = (
            f"has {counted(examples, 'training example')}; for {task} {table.examples} or more are"
            f" recommended ({RECOMMENDED_SOURCE})"
        )
        yield file.problem("dataset", what)
    epochs = epochs_of(file.spec.tuning, examples)
    if epochs is None:
        return
    steps = epochs * examples // EXAMPLES_PER_STEP
    low, high = table.steps
    if not low <= steps <= high:
        what = (
            f"{counted(epochs, 'epoch')} of {counted(examples, 'example')} are"
            f" {counted(steps, 'step')} of {EXAMPLES_PER_STEP}; for {task} {low} to {high} steps"
            f" are recommended ({RECOMMENDED_SOURCE})"
        )
        yield file.problem("tuning.steps" if file.spec.tuning.steps else "tuning.epochs", what)
