"""Origins: every value of a spec, and the line of the file that decides it for a stack."""

from jobs.runner import spec
from jobs.runner.origins import DEFAULT, OF_THE_SERVICE, OF_THE_TASK, Value, values
from jobs.runner.spec import Spec
from tests.conftest import Repository

TEXT = """\
task: classification
base_model: gemini-3.1-flash-lite
dataset: datasets/one
tuning:
  epochs: 2
labels: {team: search}
environments: [local, prod]
overrides:
  prod:
    budget_usd: 7
    tuning:
      epochs: 5
"""


def found(repository: Repository, stack: str) -> dict[str, Value]:
    (repository.root / "Pulumi.prod.yaml").touch()
    repository.spec("one", TEXT)
    (file,) = spec.load(repository.root, stack)
    return {one.key: one for one in values(file)}


def test_a_value_comes_from_its_line_or_from_the_line_that_overrides_it(
    repository: Repository,
) -> None:
    local, prod = found(repository, "local"), found(repository, "prod")
    assert local["tuning.epochs"] == Value("tuning.epochs", 2, "jobs/one.yaml:5")
    assert prod["tuning.epochs"] == Value("tuning.epochs", 5, "jobs/one.yaml:12")
    assert prod["budget_usd"] == Value("budget_usd", 7.0, "jobs/one.yaml:10")
    assert prod["labels.team"] == Value("labels.team", "search", "jobs/one.yaml:6")
    assert local["environments"].value == ["local", "prod"]


def test_what_the_file_leaves_out_is_somebody_elses(repository: Repository) -> None:
    local = found(repository, "local")
    assert local["budget_usd"] == Value("budget_usd", None, DEFAULT)
    assert local["evaluation.metric"] == Value("evaluation.metric", "accuracy", OF_THE_TASK)
    assert local["tuning.adapter_size"] == Value("tuning.adapter_size", None, OF_THE_SERVICE)


def test_no_field_is_left_out(repository: Repository) -> None:
    shown = {key.partition(".")[0] for key in found(repository, "local")}
    assert shown == {*Spec.model_fields} - {"overrides"}
