"""Specs: every fault of every file at once, each with its line and the way out."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobs.runner import spec
from jobs.runner.errors import Problems
from jobs.runner.spec import SpecFile, Tuning
from tests.runner.nobody import locked, reachable

LEAST = "task: classification\nbase_model: gemini-3.1-flash-lite\ndataset: datasets/a\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    for stack in ("local", "dev", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    return tmp_path


def write(root: Path, text: str, name: str = "a.yaml") -> None:
    (root / "jobs" / name).write_bytes(text.encode())


def loaded(root: Path, text: str, stack: str = "local") -> SpecFile:
    write(root, text)
    (file,) = spec.load(root, stack)
    return file


def faults(root: Path, text: str | None = None, stack: str = "local") -> list[str]:
    if text is not None:
        write(root, text)
    with pytest.raises(Problems) as caught:
        spec.load(root, stack)
    return str(caught.value).splitlines()


# What a spec says


def test_the_name_is_the_stem_and_everything_but_three_keys_has_a_default(root: Path) -> None:
    file = loaded(root, LEAST)
    assert (file.name, file.path) == ("a", "jobs/a.yaml")
    assert file.spec.tuning.as_written() == {}
    assert (file.spec.environments, file.spec.budget_usd, file.spec.labels) == (None, None, {})


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("classification", "accuracy"),
        ("summarization", "rouge_l"),
        ("extractive_qa", "exact_match"),
        ("chat", "rouge_l"),
    ],
)
def test_each_task_has_a_metric_that_the_spec_may_change(
    root: Path, task: str, metric: str
) -> None:
    text = LEAST.replace("classification", task)
    assert loaded(root, text).spec.metric == metric
    assert loaded(root, text + "evaluation: {metric: exact_match}\n").spec.metric == "exact_match"


def test_hyperparameters_are_kept_as_they_were_written(root: Path) -> None:
    file = loaded(root, LEAST + "tuning: {steps: 100, learning_rate: 3, adapter_size: 4}\n")
    assert file.spec.tuning.as_written() == {"steps": 100, "adapter_size": 4}
    assert file.spec.tuning.learning_rate == 3


def test_numbers_may_be_written_with_an_exponent_and_without_a_fraction(root: Path) -> None:
    text = LEAST + "tuning: {learning_rate: 1e-5}\nbudget_usd: 2\nevaluation: {at_least: 1}\n"
    file = loaded(root, text)
    assert file.spec.tuning.learning_rate == 0.00001
    assert (file.spec.budget_usd, file.spec.evaluation.at_least) == (2.0, 1.0)


def test_blanks_around_a_text_do_not_count(root: Path) -> None:
    text = LEAST + "instructions: |\n\n  Name the topic.\n\n"
    assert loaded(root, text).spec.instructions == "Name the topic."
    assert loaded(root, LEAST + 'instructions: " Name the topic. "\n').spec.instructions == (
        "Name the topic."
    )


def test_a_country_called_no_is_no_truth_value(root: Path) -> None:
    assert loaded(root, LEAST + "labels: {country: no}\n").spec.labels == {"country": "no"}


# Stacks


def test_a_spec_is_meant_for_all_stacks_or_for_those_it_names(root: Path) -> None:
    write(root, LEAST, "everywhere.yaml")
    write(root, LEAST + "environments: [dev, prod]\n", "cloud.yml")
    assert [file.name for file in spec.load(root, "local")] == ["everywhere"]
    assert [file.name for file in spec.load(root, "prod")] == ["cloud", "everywhere"]


def test_an_override_replaces_values_of_its_stack_only_and_keeps_the_lines(root: Path) -> None:
    text = LEAST + (
        "tuning: {epochs: 3, adapter_size: 4}\nbudget_usd: 2\n"
        "overrides:\n  prod:\n    budget_usd: 20\n    tuning: {epochs: 5}\n"
    )
    local, prod = loaded(root, text), loaded(root, text, "prod")
    assert (local.spec.budget_usd, local.spec.tuning.epochs) == (2, 3)
    assert (prod.spec.budget_usd, prod.spec.tuning.epochs) == (20, 5)
    assert prod.spec.tuning.adapter_size == 4
    assert (local.line("budget_usd"), prod.line("budget_usd")) == (5, 8)
    assert (prod.line("tuning", "epochs"), prod.line("tuning", "adapter_size")) == (9, 4)
    assert str(prod.problem("tuning.epochs", "x")) == "jobs/a.yaml:9: tuning.epochs: x"


def test_an_override_can_take_a_value_away(root: Path) -> None:
    text = LEAST + "tuning: {epochs: 3}\nbudget_usd: 2\n"
    text += "overrides: {prod: {budget_usd: ~, tuning: {epochs: ~, steps: 100}}}\n"
    prod = loaded(root, text, "prod").spec
    assert prod.budget_usd is None
    assert prod.tuning.as_written() == {"steps": 100}


@pytest.mark.parametrize("key", ["task: chat", "environments: [dev]", "overrides: {}"])
def test_an_override_can_not_change_what_a_spec_is(root: Path, key: str) -> None:
    name = key.partition(":")[0]
    assert faults(root, LEAST + f"overrides:\n  prod:\n    {key}\n") == [
        f"jobs/a.yaml:6: overrides.prod.{name}: cannot differ by stack"
    ]


def test_a_fault_in_an_override_shows_on_every_stack(root: Path) -> None:
    text = (
        LEAST
        + "tuning: {epochs: 3}\noverrides:\n  prod:\n    bugdet_usd: 20\n    tuning: {steps: 9}\n"
    )
    assert faults(root, text) == [
        "jobs/a.yaml:7: overrides.prod.bugdet_usd: is not a key of a spec;"
        ' did you mean "budget_usd"?',
        "jobs/a.yaml:8: overrides.prod.tuning: give epochs or steps, not both",
    ]


def test_a_fault_that_is_there_anyway_is_not_said_again_for_each_override(root: Path) -> None:
    text = LEAST + "budget_usd: -1\noverrides: {dev: {labels: {}}, prod: {labels: {}}}\n"
    assert faults(root, text) == ["jobs/a.yaml:4: budget_usd: must be at least 0"]


def test_stacks_that_do_not_exist_are_named(root: Path) -> None:
    text = LEAST + "environments: [local, prdo]\noverrides:\n  staging: {budget_usd: 1}\n"
    assert faults(root, text) == [
        'jobs/a.yaml:4: environments: "prdo" is no stack here; did you mean "prod"?',
        'jobs/a.yaml:5: overrides: "staging" is no stack here; known: dev, local, prod',
    ]


def test_a_spec_for_no_stack_at_all_is_a_fault(root: Path) -> None:
    said = "jobs/a.yaml:4: environments: is empty; give it a value or remove it"
    assert faults(root, LEAST + "environments: []\n") == [said]


# Faults


def test_every_fault_of_every_file_is_said_at_once(root: Path) -> None:
    write(root, LEAST, "good.yaml")
    write(root, "task: chat\n", "short.yaml")
    write(root, "a: [\n", "torn.yaml")
    write(root, LEAST, "Capital.yaml")
    (root / "jobs" / "folder.yaml").mkdir()
    (root / "jobs" / "bytes.yaml").write_bytes(b"task: \xff\n")
    rule = 'a-z, 0-9 and "-", at most 63, a letter first, no "-" at the end'
    assert faults(root) == [
        f'jobs/Capital.yaml: "Capital" is no name for a job: {rule}',
        "jobs/bytes.yaml:1: is not UTF-8: save it as UTF-8",
        "jobs/folder.yaml: is not a file",
        "jobs/short.yaml:1: base_model: is missing; every spec needs it",
        "jobs/short.yaml:1: dataset: is missing; every spec needs it",
        "jobs/torn.yaml:2: is not YAML: did not find expected node content",
    ]


def test_good_specs_can_be_read_beside_faulty_ones(root: Path) -> None:
    write(root, LEAST, "good.yaml")
    write(root, "task: chat\n", "short.yaml")
    files, problems = spec.read(root, "local")
    assert [file.name for file in files] == ["good"]
    assert {problem.path for problem in problems} == {"jobs/short.yaml"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tunning: {}", 'tunning: is not a key of a spec; did you mean "tuning"?'),
        ("tuning: {epoch: 3}", 'tuning.epoch: is not a key of a spec; did you mean "epochs"?'),
        (
            "evaluation: {pass: 1}",
            "evaluation.pass: is not a key of a spec; known: metric, at_least",
        ),
        ("3: x", None),
        ("tuning: 3", "tuning: must be a mapping of keys to values"),
        ("tuning: [epochs]", "tuning: must be a mapping of keys to values"),
        ("tuning:", "tuning: is empty; give it a value or remove it"),
        ("tuning: {epochs: 0}", 'tuning.epochs: must be a whole number from 1 to 1000, or "auto"'),
        (
            "tuning: {epochs: true}",
            'tuning.epochs: must be a whole number from 1 to 1000, or "auto"',
        ),
        (
            "tuning: {epochs: 3.0}",
            'tuning.epochs: must be a whole number from 1 to 1000, or "auto"',
        ),
        (
            'tuning: {epochs: "3"}',
            'tuning.epochs: must be a whole number from 1 to 1000, or "auto"',
        ),
        (
            "tuning: {epochs: 1001}",
            'tuning.epochs: must be a whole number from 1 to 1000, or "auto"',
        ),
        ("tuning: {steps: 0}", "tuning.steps: must be at least 1"),
        ("tuning: {steps: 100001}", "tuning.steps: must be at most 100000"),
        ("tuning: {steps: 99999999999999999999}", "tuning.steps: must be a whole number"),
        ("tuning: {steps: 1.5}", "tuning.steps: must be a whole number"),
        ("tuning: {steps: yes}", "tuning.steps: must be a whole number"),
        ("tuning: {epochs: 1, steps: 1}", "tuning: give epochs or steps, not both"),
        (
            "tuning: {learning_rate: 1, learning_rate_multiplier: 1}",
            "tuning: give learning_rate_multiplier; learning_rate is its form of 2023",
        ),
        (
            "tuning: {learning_rate_multiplier: 0}",
            "tuning.learning_rate_multiplier: must be above 0",
        ),
        (
            "tuning: {learning_rate_multiplier: .nan}",
            "tuning.learning_rate_multiplier: must be a number",
        ),
        ("tuning: {learning_rate: 1e999}", "tuning.learning_rate: must be a number"),
        ("tuning: {adapter_size: 3}", "tuning.adapter_size: must be 1, 2, 4, 8, 16 or 32"),
        ("tuning: {adapter_size: true}", "tuning.adapter_size: must be a whole number"),
        ("tuning: {adapter_size: 4.0}", "tuning.adapter_size: must be a whole number"),
        ("budget_usd: lots", "budget_usd: must be a number"),
        ("budget_usd: -0.01", "budget_usd: must be at least 0"),
        ("budget_usd: .inf", "budget_usd: must be a number"),
        ("budget_usd: true", "budget_usd: must be a number"),
        ("evaluation: {at_least: 90}", "evaluation.at_least: must be at most 1"),
        (
            "evaluation: {metric: rouge}",
            "evaluation.metric: must be 'accuracy', 'exact_match' or 'rouge_l'; did you mean"
            ' "rouge_l"?',
        ),
        ("instructions: '  '", "instructions: is empty"),
        ("instructions: 3", "instructions: must be text; put it in quotes"),
        ("environments: local", "environments: must be a list"),
        ("environments: [local, 3]", "environments.1: must be text; put it in quotes"),
        ("overrides: [prod]", "overrides: must be a mapping of keys to values"),
        ("overrides: {prod: 3}", "overrides.prod: must be a mapping of keys to values"),
        ("labels: [a]", "labels: must be a mapping of keys to values"),
        ("labels: {a: 1}", "labels.a: must be text; put it in quotes"),
    ],
)
def test_each_fault_has_its_line_and_says_what_is_wanted(
    root: Path, line: str, said: str | None
) -> None:
    said = said or (
        "3: is not a key of a spec; known: task, base_model, dataset, instructions, tuning,"
        " budget_usd, pin, promotion, priority, evaluation, check, environments, overrides, labels"
    )
    assert faults(root, LEAST + line + "\n") == [f"jobs/a.yaml:4: {said}"]


def test_a_wrong_task_is_answered_with_the_right_ones(root: Path) -> None:
    assert faults(root, LEAST.replace("classification", "clasification")) == [
        "jobs/a.yaml:1: task: must be 'classification', 'summarization', 'extractive_qa' or 'chat';"
        ' did you mean "classification"?'
    ]


@pytest.mark.parametrize("key", ["task", "base_model", "dataset"])
def test_a_key_without_a_value_is_called_empty(root: Path, key: str) -> None:
    text = "".join(
        f"{key}:\n" if line.startswith(key) else line + "\n" for line in LEAST.splitlines()
    )
    (said,) = faults(root, text)
    assert said.endswith(f": {key}: is empty; give it a value or remove it")


# Names and labels


@pytest.mark.parametrize("name", ["a", "a1", "a-b", "a" * 63])
def test_a_name_has_up_to_63_letters_digits_and_hyphens(root: Path, name: str) -> None:
    write(root, LEAST, f"{name}.yaml")
    assert [file.name for file in spec.load(root, "local")] == [name]


@pytest.mark.parametrize("name", ["A", "1a", "a_b", "a-", "-a", "a b", "a.b", "ä", "a" * 64, "a\n"])
def test_other_names_are_refused(root: Path, name: str) -> None:
    write(root, LEAST, f"{name}.yaml")
    (said,) = faults(root)
    assert "is no name for a job" in said


def test_two_files_of_one_name_are_refused(root: Path) -> None:
    write(root, LEAST, "a.yaml")
    write(root, LEAST, "a.yml")
    assert faults(root) == ["jobs/a.yml: has the name of a.yaml; rename one"]


def test_files_of_editors_and_of_other_kinds_are_not_read(root: Path) -> None:
    write(root, LEAST)
    (root / "jobs" / ".#a.yaml").symlink_to("user@host:1")
    for other in (".a.yaml.swp", "a.yaml~", "schema.json", "notes.txt"):
        write(root, "{", other)
    write(root, "[", ".hidden.yaml")
    assert [file.name for file in spec.load(root, "local")] == ["a"]


@pytest.mark.parametrize(("mode", "shown"), [(0o000, "jobs"), (0o444, "jobs/a.yaml")])
def test_a_folder_that_may_not_be_read_is_not_one_without_specs(mode: int, shown: str) -> None:
    """Else all that is served would be taken for what nobody asks for."""
    with reachable() as root:
        (root / "jobs").mkdir()
        write(root, LEAST)
        with locked(root / "jobs", mode):
            assert faults(root) == [f"{shown}: cannot be read: Permission denied"]


def test_a_link_may_lead_to_another_file_of_the_repository_alone(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    secret.write_text("password: hunter2\n")
    (root / "jobs/a.yaml").symlink_to(secret)
    (root / "jobs/b.yaml").symlink_to("b.yaml")
    assert faults(root) == [
        "jobs/a.yaml: lies outside of the repository; put the file itself into jobs/",
        "jobs/b.yaml: cannot be read: Too many levels of symbolic links",
    ]
    (root / "jobs/a.yaml").unlink()
    (root / "jobs/b.yaml").unlink()
    (root / "here.yaml").write_text(LEAST)
    (root / "jobs/a.yaml").symlink_to(root / "here.yaml")
    assert [file.name for file in spec.load(root, "local")] == ["a"]


def test_labels_may_be_as_long_as_google_lets_them(root: Path) -> None:
    labels = {"k" * 63: "v" * 63, "a_-1": "", "team": "0-_x"}
    text = LEAST + "labels:\n" + "".join(f"  {k}: '{v}'\n" for k, v in labels.items())
    assert loaded(root, text).spec.labels == labels


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("k" * 64 + ": x", "is no label: a-z, 0-9"),
        ("Team: x", "is no label: a-z, 0-9"),
        ("1a: x", "is no label: a-z, 0-9"),
        ("vertune-spec: x", 'cannot be set: labels that start with "vertune-"'),
        ("a: " + "v" * 64, "is no label value: a-z, 0-9"),
        ("a: B", "is no label value: a-z, 0-9"),
        ("a: b.c", "is no label value: a-z, 0-9"),
        ('a: "b\\n"', "is no label value: a-z, 0-9"),
    ],
)
def test_labels_that_google_would_refuse_are_refused_here(
    root: Path, label: str, said: str
) -> None:
    (fault,) = faults(root, LEAST + f"labels:\n  {label}\n")
    assert fault.startswith(f"jobs/a.yaml:5: labels.{label.partition(':')[0]}: {said}")


def test_there_is_a_most_of_labels(root: Path) -> None:
    labels = "".join(f"  a{number}: x\n" for number in range(61))
    assert faults(root, LEAST + "labels:\n" + labels) == [
        "jobs/a.yaml:4: labels: holds more than 60"
    ]


# Selecting


def test_only_what_is_selected_is_read(root: Path) -> None:
    write(root, LEAST, "a.yaml")
    write(root, "broken: [", "b.yaml")
    assert [file.name for file in spec.load(root, "local", ["a"])] == ["a"]


def test_selecting_what_is_not_there_offers_the_nearest(root: Path) -> None:
    write(root, LEAST, "headlines.yaml")
    with pytest.raises(Problems) as caught:
        spec.load(root, "local", ["headline", "headlines"])
    assert str(caught.value) == 'jobs: headline: has no spec; did you mean "headlines"?'


def test_no_specs_are_no_fault(root: Path) -> None:
    assert spec.load(root, "local") == []


# Anything else


_KEYS = st.sampled_from([*spec.Spec.model_fields, *Tuning.model_fields, "metric", "prod", "x", "1"])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("chat")
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def _flow(value: Any) -> str:
    """A value as YAML, written without the library that reads it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return "'" + "".join(c for c in value if c.isprintable()).replace("'", "''") + "'"
    return {None: "null", True: "true", False: "false"}.get(value, str(value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
@example({"overrides": {"prod": {"overrides": {"prod": {}}}}})
def test_any_mapping_is_a_spec_or_problems_in_lines_of_its_file(
    root: Path, values: dict[str, Any]
) -> None:
    text = "\n".join(f"{key}: {_flow(value)}" for key, value in values.items())
    write(root, LEAST + text if not set(values) & {"task", "base_model", "dataset"} else text)
    files, problems = spec.read(root, "prod")
    assert bool(files) or bool(problems) or values.get("environments")
    for problem in problems:
        assert problem.path == "jobs/a.yaml"
        assert problem.line <= len(values) + 3
        assert problem.what


# What a check leaves out


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{id: VT-D101}", "check.ignore.0.reason: is missing; every spec needs it"),
        ("{id: VT-D101, reason: ''}", "check.ignore.0.reason: is empty"),
        ("{id: VTD101, reason: x}", 'check.ignore.0.id: is no finding; did you mean "VT-D101"?'),
        (
            "{id: VT-D008, reason: x}",
            "check.ignore.0.id: is an error, which cannot be ignored; mend it",
        ),
        (
            "{id: VT-D101, reson: x}",
            'check.ignore.0.reson: is not a key of a spec; did you mean "reason"?',
        ),
    ],
)
def test_what_is_ignored_must_be_there_and_have_a_reason(root: Path, entry: str, said: str) -> None:
    assert f"jobs/a.yaml:4: {said}" in faults(root, LEAST + f"check: {{ignore: [{entry}]}}\n")


def test_a_warning_may_be_ignored_for_a_reason(root: Path) -> None:
    ignores = "check: {ignore: [{id: VT-D101, reason: weighed so}]}\n"
    (root / "jobs/a.yaml").write_text(LEAST + ignores, "utf-8")
    (found,) = spec.load(root, "local")
    assert [(one.id, one.reason) for one in found.spec.check.ignore] == [("VT-D101", "weighed so")]
