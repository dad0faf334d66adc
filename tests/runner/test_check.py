"""Findings: what is wrong, what to look at and what would serve better, each with its reason."""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jobs.runner import catalog, check, dataset, identity, spec
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import SPLITS, Dataset
from jobs.runner.lines import Source
from jobs.runner.rows import SplitName
from jobs.runner.spec import SpecFile

ROOT = Path(__file__).parents[2]
FACTS = catalog.load().base_models["gemini-3.1-flash-lite"]
TODAY = date(2026, 11, 23)
TABLE = "(https://cloud.google.com/vertex-ai/docs/generative-ai/models/tune-models)"
LEAST = "task: classification\nbase_model: gemini-3.1-flash-lite\ndataset: datasets/a\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path


def file(root: Path, more: str = "tuning: {epochs: 10}\n", least: str = LEAST) -> SpecFile:
    (root / "jobs" / "a.yaml").write_text(least + more)
    (found,) = spec.load(root, "local")
    return found


def of(**splits: Iterable[str]) -> Dataset:
    """Splits of examples with these prompts."""

    def source(name: str, prompts: Iterable[str]) -> Source:
        lines = [json.dumps({"input_text": p, "output_text": "x"}) for p in prompts]
        return Source(f"datasets/a/{name}.jsonl", lambda: io.BytesIO("\n".join(lines).encode()))

    names: tuple[SplitName, ...] = SPLITS
    return dataset.read({n: source(n, splits[n]) for n in names if n in splits}, None)


def numbered(count: int, start: int = 0) -> list[str]:
    return [f"example {start + number}" for number in range(count)]


WHOLE = {
    "train": numbered(100),
    "validation": numbered(10, 1000),
    "test": numbered(10, 2000),
}


def found(
    file: SpecFile,
    data: Dataset,
    facts: BaseModelFacts | None = FACTS,
    region: str = "us-central1",
    today: date = TODAY,
    simulated: bool = False,
) -> list[str]:
    all_of_it = check.findings(file, data, facts, region, today, simulated)
    return [f"{one.severity}: {one.problem}" for one in all_of_it]


def test_a_whole_dataset_and_settings_as_recommended_have_no_findings(root: Path) -> None:
    assert found(file(root), of(**WHOLE)) == []


# Advice


@pytest.mark.parametrize(
    ("task", "epochs", "steps", "low", "high"),
    [
        ("classification", 7, 87, 100, 500),
        ("classification", 41, 512, 100, 500),
        ("summarization", 10, 125, 200, 1000),
        ("extractive_qa", 1, 12, 100, 500),
    ],
)
def test_the_number_of_steps_is_compared_with_google_s_table(
    root: Path, task: str, epochs: int, steps: int, low: int, high: int
) -> None:
    least = LEAST.replace("classification", task)
    (said,) = found(file(root, f"tuning: {{epochs: {epochs}}}\n", least), of(**WHOLE))
    assert said == (
        f"advice: jobs/a.yaml:4: tuning.epochs: {epochs} epoch{'s' * (epochs > 1)} of 100 examples"
        f" are {steps} whole steps of 8; for {task} {low} to {high} steps are recommended {TABLE}"
    )


@pytest.mark.parametrize("epochs", [8, 40])
def test_the_ends_of_the_recommended_range_are_within_it(root: Path, epochs: int) -> None:
    assert found(file(root, f"tuning: {{epochs: {epochs}}}\n"), of(**WHOLE)) == []


def test_few_examples_are_said_to_be_few(root: Path) -> None:
    data = of(**WHOLE | {"train": numbered(99)})
    assert found(file(root), data) == [
        "advice: jobs/a.yaml:3: dataset: has 99 training examples; for classification 100 or more"
        f" are recommended {TABLE}"
    ]


def test_a_chat_is_not_measured_by_the_table_of_other_tasks(root: Path) -> None:
    least = LEAST.replace("classification", "chat")
    assert found(file(root, "tuning: {epochs: 1}\n", least), of(**WHOLE)) == []


def test_missing_splits_are_said_with_what_they_are_for(root: Path) -> None:
    assert found(file(root), of(train=numbered(100))) == [
        "advice: jobs/a.yaml:3: dataset: has no validation split to watch the tuning",
        "advice: jobs/a.yaml:3: dataset: has no test split to score the result",
    ]


@pytest.mark.parametrize("tuning", ["", "tuning: {epochs: auto}\n"])
def test_epochs_left_to_the_service_are_said_to_cost(root: Path, tuning: str) -> None:
    (said,) = found(file(root, tuning), of(**WHOLE))
    assert said.startswith("advice: jobs/a.yaml:")
    assert said.endswith(
        "tuning.epochs: is left to the service, whose choice can multiply the bill;"
        " set tuning.epochs"
    )


def test_the_settings_of_2023_are_said_to_be_converted_or_left_out(root: Path) -> None:
    said = found(file(root, "tuning:\n  steps: 100\n  learning_rate: 3\n"), of(**WHOLE))
    assert said == [
        "advice: jobs/a.yaml:5: tuning.steps: 100 steps (2023) × 8 / 100 examples = 8 epochs",
        "advice: jobs/a.yaml:6: tuning.learning_rate: learning_rate 3 (2023) is not carried over:"
        " today's setting is learning_rate_multiplier, whose default is 1",
    ]


def test_the_sample_of_25_headlines_with_100_steps_is_told_all_it_should_know(root: Path) -> None:
    sample = dataset.read(dataset.local_sources(ROOT, "datasets/samples/headlines-25.jsonl"), None)
    assert sample.train.examples == 25
    assert found(file(root, "tuning: {steps: 100}\n"), sample) == [
        "advice: jobs/a.yaml:4: tuning.steps: 100 steps (2023) × 8 / 25 examples = 32 epochs, held"
        " to 20: more would only memorise",
        "advice: jobs/a.yaml:3: dataset: has no validation split to watch the tuning",
        "advice: jobs/a.yaml:3: dataset: has no test split to score the result",
        "advice: jobs/a.yaml:3: dataset: has 25 training examples; for classification 100 or more"
        f" are recommended {TABLE}",
        "advice: jobs/a.yaml:4: tuning.steps: 20 epochs of 25 examples are 62 whole steps of 8; for"
        f" classification 100 to 500 steps are recommended {TABLE}",
    ]


# Warnings


# What a spec ignores


def ignoring(root: Path, *ids: str) -> SpecFile:
    entries = ", ".join(f"{{id: {id}, reason: meant to be so}}" for id in ids)
    return file(root, f"tuning: {{epochs: 10}}\ncheck: {{ignore: [{entries}]}}\n")


def test_what_is_ignored_carries_its_reason(root: Path) -> None:
    data = of(**{name: prompts for name, prompts in WHOLE.items() if name != "validation"})
    (found,) = check.findings(ignoring(root, "VT-D037"), data, FACTS, "us-central1", TODAY)
    assert str(found).startswith("advice VT-D037: ")
    assert found.ignored == "meant to be so"


def test_what_is_ignored_for_nothing_is_said_but_not_behind_errors(root: Path) -> None:
    assert found(ignoring(root, "VT-D101"), of(**WHOLE)) == [
        "advice: jobs/a.yaml:5: check.ignore: names VT-D101, which is not found"
    ]
    (said,) = found(ignoring(root, "VT-D101"), of(**WHOLE), region="mars")
    assert said.startswith("error: ")


def test_ignoring_changes_nothing_about_what_is_tuned(root: Path) -> None:
    plain, ignores = file(root).spec, ignoring(root, "VT-D101").spec
    assert identity.inputs(plain, "d") == identity.inputs(ignores, "d")


def test_an_example_that_the_service_would_drop_is_pointed_at(root: Path) -> None:
    prose = "the bank and the river are of one and the same name in this town. "
    data = of(**WHOLE | {"train": [*numbered(99), prose * 7_000]})
    assert found(file(root), data) == []
    data = of(**WHOLE | {"train": [prose * 11_000, *numbered(99)]})
    (said,) = found(file(root), data)
    shown = "warning: datasets/a/train.jsonl:1: has about 19\\d,\\d{3} tokens; the service drops"
    assert re.match(shown, said)


def test_a_retirement_within_90_days_is_announced(root: Path) -> None:
    said = (
        "warning: jobs/a.yaml:2: base_model: may retire from 2027-05-07 on, and what was tuned from"
        " it with it"
    )
    assert found(file(root), of(**WHOLE), today=date(2027, 2, 5)) == []
    assert found(file(root), of(**WHOLE), today=date(2027, 2, 6)) == [said]
    assert found(file(root), of(**WHOLE), today=date(2027, 5, 6)) == [said]


# Errors


def test_a_retired_base_model_is_an_error_but_not_in_a_simulation(root: Path) -> None:
    said = (
        "jobs/a.yaml:2: base_model: was retired on 2027-05-07; choose another one"
        " (`vertune models`)"
    )
    retired = date(2027, 5, 7)
    assert found(file(root), of(**WHOLE), today=retired) == [f"error: {said}"]
    assert found(file(root), of(**WHOLE), today=retired, simulated=True) == [f"warning: {said}"]


def test_a_region_that_can_not_tune_it_is_an_error(root: Path) -> None:
    assert found(file(root), of(**WHOLE), region="europe-west1") == [
        "error: jobs/a.yaml:2: base_model: cannot be tuned in europe-west1; the stack must be in"
        " us-central1 or europe-west4"
    ]


def test_an_adapter_size_that_it_does_not_take_is_an_error(root: Path) -> None:
    assert found(file(root, "tuning: {epochs: 10, adapter_size: 32}\n"), of(**WHOLE)) == [
        "error: jobs/a.yaml:4: tuning.adapter_size: 32 is not one that gemini-3.1-flash-lite takes:"
        " 1, 2, 4, 8, 16"
    ]


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        (100, 1000, None),
        (5000, 1500, None),
        (
            5000,
            1501,
            "holds 1,501 examples; above 1,000 it may be at most 30% of the 5,000 training"
            " examples",
        ),
        (17_000, 5000, None),
        (17_000, 5001, "holds 5,001 examples; at most 5,000 are taken"),
    ],
)
def test_too_many_validation_examples_are_an_error(
    root: Path, train: int, validation: int, said: str | None
) -> None:
    data = of(**WHOLE)
    counts = {"train": train, "validation": validation, "test": 10}
    splits = {name: replace(split, examples=counts[name]) for name, split in data.splits.items()}
    data = Dataset(splits, ())
    errors = [f for f in found(file(root), data) if f.startswith("error")]
    assert errors == ([f"error: datasets/a/validation.jsonl: {said}"] if said else [])


def test_too_much_training_data_is_an_error(root: Path) -> None:
    data = of(**WHOLE)
    small = FACTS.model_copy(update={"training_bytes": data.train.size - 1})
    size = f"{data.train.size:,}"
    assert found(file(root), data, small) == [
        f"error: datasets/a/train.jsonl: holds {size} bytes; at most"
        f" {data.train.size - 1:,} are taken"
    ]
    exact = FACTS.model_copy(update={"training_bytes": data.train.size})
    assert found(file(root), data, exact) == []


def test_a_mark_that_nothing_can_reach_is_an_error_before_it_is_paid_for(root: Path) -> None:
    marked = file(root, "tuning: {epochs: 10}\nevaluation: {at_least: 0.9}\n")
    assert found(marked, of(**WHOLE)) == []
    said = found(marked, of(train=numbered(100), validation=numbered(10, 1000)))
    assert said[0] == (
        "error: jobs/a.yaml:5: evaluation.at_least: needs a test split, test.jsonl beside"
        " train.jsonl; without a score nothing is served"
    )


def test_faults_of_the_data_are_errors_and_come_first(root: Path) -> None:
    broken = Source("datasets/a/train.jsonl", lambda: io.BytesIO(b"{"))
    said = found(file(root), dataset.read({"train": broken}, None), region="mars")
    assert said[0].startswith("error: datasets/a/train.jsonl:1: is not JSON")
    assert said[1].startswith("error: jobs/a.yaml:2: base_model: cannot be tuned in mars")


def test_a_spec_without_data_can_be_looked_at_too(root: Path) -> None:
    assert found(file(root), Dataset({}, ())) == []


def test_without_facts_the_data_is_still_looked_at(root: Path) -> None:
    said = found(file(root), of(train=["a"]), facts=None)
    assert "advice: jobs/a.yaml:3: dataset: has no test split to score the result" in said
