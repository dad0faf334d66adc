"""Settings: what is wrong with a spec for its base model, its stack and its number of examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from jobs.runner import rules
from jobs.runner.catalog import NOTICE, BaseModelFacts
from jobs.runner.dataset import Dataset
from jobs.runner.estimate import EXAMPLES_PER_STEP, converted, counted, epochs_of
from jobs.runner.rules import Finding, Rule, Severity
from jobs.runner.spec import SpecFile, Task


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


def at(
    file: SpecFile, rule: Rule, field: str, what: str, severity: Severity | None = None
) -> Finding:
    """A finding at a field of a spec."""
    return Finding(rule, file.problem(field, what), severity or rule.severity)


def base_model(
    file: SpecFile, facts: BaseModelFacts, region: str, today: date, simulated: bool
) -> Iterator[Finding]:
    if region not in facts.regions:
        where = " or ".join(facts.regions)
        what = f"cannot be tuned in {region}; the stack must be in {where}"
        yield at(file, rules.REGION, "base_model", what)
    size = file.spec.tuning.adapter_size
    if size is not None and size not in facts.adapter_sizes:
        known = ", ".join(map(str, facts.adapter_sizes))
        what = f"{size} is not one that {file.spec.base_model} takes: {known}"
        yield at(file, rules.ADAPTER_SIZE, "tuning.adapter_size", what)
    yield from _retirement(file, facts, today, simulated)


def _retirement(
    file: SpecFile, facts: BaseModelFacts, today: date, simulated: bool
) -> Iterator[Finding]:
    """A simulation has nobody to retire its base model: there it is no error."""
    if facts.retired(today):
        what = f"was retired on {facts.retires}; choose another one (`vertune models`)"
        severity: Severity = "warning" if simulated else "error"
        yield at(file, rules.RETIRED, "base_model", what, severity)
    elif facts.retires - today <= NOTICE:
        what = f"may retire from {facts.retires} on, and what was tuned from it with it"
        yield at(file, rules.RETIRES_SOON, "base_model", what)


def unscored(file: SpecFile, dataset: Dataset) -> Iterator[Finding]:
    marked = file.spec.evaluation.at_least is not None
    if marked and dataset.splits and "test" not in dataset.splits:
        what = (
            "needs a test split, test.jsonl beside train.jsonl; without a score nothing is served"
        )
        yield at(file, rules.UNSCORED, "evaluation.at_least", what)


def advice(file: SpecFile, dataset: Dataset) -> Iterator[Finding]:
    """What could be better for the number of examples there is."""
    examples, task = dataset.train.examples, file.spec.task
    for setting, note in converted(file.spec.tuning, examples).items():
        yield at(file, rules.CONVERTED, f"tuning.{setting}", note)
    if "validation" not in dataset.splits:
        what = "has no validation split to watch the tuning"
        yield at(file, rules.NO_VALIDATION, "dataset", what)
    if "test" not in dataset.splits:
        yield at(file, rules.NO_TEST, "dataset", "has no test split to score the result")
    if recommended := RECOMMENDED.get(task):
        yield from _sizes(file, examples, task, recommended)
    if epochs_of(file.spec.tuning, examples) is None:
        what = "is left to the service, whose choice can multiply the bill; set tuning.epochs"
        yield at(file, rules.OPEN_EPOCHS, "tuning.epochs", what)


def _sizes(file: SpecFile, examples: int, task: Task, table: Recommended) -> Iterator[Finding]:
    if examples < table.examples:
        what = (
            f"has {counted(examples, 'training example')}; for {task} {table.examples} or more are"
            f" recommended ({RECOMMENDED_SOURCE})"
        )
        yield at(file, rules.FEW_EXAMPLES, "dataset", what)
    epochs = epochs_of(file.spec.tuning, examples)
    if epochs is None:
        return
    steps = epochs * examples // EXAMPLES_PER_STEP
    low, high = table.steps
    if not low <= steps <= high:
        what = (
            f"{counted(epochs, 'epoch')} of {counted(examples, 'example')} are"
            f" {counted(steps, 'whole step')} of {EXAMPLES_PER_STEP}; for {task} {low} to {high}"
            f" steps are recommended ({RECOMMENDED_SOURCE})"
        )
        setting = "tuning.steps" if file.spec.tuning.steps else "tuning.epochs"
        yield at(file, rules.STEPS, setting, what)
