"""Spec: what one YAML file in jobs/ wants tuned; its name is the file's stem."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from jobs.runner import document
from jobs.runner.errors import Problem, Problems

Task = Literal["classification", "summarization", "extractive_qa", "chat"]
Metric = Literal["accuracy", "exact_match", "rouge_l"]

DEFAULT_METRIC: Mapping[Task, Metric] = {
    "classification": "accuracy",
    "summarization": "rouge_l",
    "extractive_qa": "exact_match",
    "chat": "rouge_l",
}

# A name becomes a label value: 63 characters, lower case.
# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_NOT_OVERRIDDEN = ("task", "environments", "overrides")


def _epochs(value: object) -> object:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError('must be a whole number from 1 up, or "auto"')


def _labels(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of label to value")
    for key, text in value.items():
        if not (
            _LABEL.fullmatch(str(key)) and _LABEL.fullmatch(str(text)) and str(key)[:1].isalpha()
        ):
            raise ValueError(
                f'"{key}: {text}" is no label: lower-case letters, digits, "_" and "-",'
                " at most 63, the key starting with a letter"
            )
        if str(key).startswith("vertune-"):
            raise ValueError(f'"{key}": labels that start with "vertune-" are set by vertune')
    return {str(key): str(text) for key, text in value.items()}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Tuning(_Model):
    """How to tune; what is left out is the service's default."""

    epochs: Annotated[int | Literal["auto"] | None, BeforeValidator(_epochs)] = Field(
        default=None,
        description="Passes over the examples, or `auto` to let the service choose.",
        examples=[3],
    )
    steps: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="The unit of 2023, batches of 8 examples; converted to epochs.",
        examples=[100],
    )
    learning_rate_multiplier: float | None = Field(
        default=None, gt=0, le=100, description="Factor on the service's recommended learning rate."
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="The setting of 2023; accepted, not carried over: its scale is another one.",
    )
    adapter_size: Literal[1, 2, 4, 8, 16, 32] | None = Field(
        default=None, description="Rank of the adapter; the base model says which it takes."
    )

    @model_validator(mode="after")
    def _one_length(self) -> "Tuning":
        if self.epochs is not None and self.steps is not None:
            raise ValueError("give epochs or steps, not both")
        if self.learning_rate is not None and self.learning_rate_multiplier is not None:
            raise ValueError("give learning_rate_multiplier; learning_rate is its form of 2023")
        return self

    def as_written(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude_none=True)


class Evaluation(_Model):
    """What the tuned model must reach on the test split before it is served."""

    metric: Metric | None = Field(default=None, description="By default the metric of the task.")
    at_least: float | None = Field(
        default=None, ge=0, le=1, description="Pass mark; below it the model is not served."
    )


class Spec(_Model):
    """A tuning job as a file: one file, one tuned model."""

    task: Task = Field(description="Decides metric, recommended sizes and how much is generated.")
    base_model: str = Field(
        min_length=1, description="See `vertune models`.", examples=["gemini-3.1-flash-lite"]
    )
    dataset: str = Field(
        min_length=1,
        description="Folder with train, validation and test.jsonl, a .jsonl file,"
        " gs://bucket/object.jsonl or gs://bucket/prefix/.",
        examples=["datasets/headlines"],
    )
    instructions: str | None = Field(
        default=None,
        min_length=1,
        description="System instruction of every example and prediction.",
    )
    tuning: Tuning = Field(default=Tuning())
    budget_usd: float | None = Field(
        default=None, ge=0, description="Refuse to submit when the estimate is above this."
    )
    evaluation: Evaluation = Field(default=Evaluation())
    environments: tuple[str, ...] | None = Field(
        default=None, strict=False, description="Stacks it is meant for; all by default."
    )
    overrides: dict[str, dict[str, Any]] = Field(
        default={}, description="By stack: values that replace the ones above."
    )
    labels: Annotated[dict[str, str], BeforeValidator(_labels)] = Field(
        default={}, description="Labels of the job, the tuned model and its endpoint."
    )

    @property
    def metric(self) -> Metric:
        return self.evaluation.metric or DEFAULT_METRIC[self.task]


class SpecFile(BaseModel):
    """A spec, its name, and the lines its values came from."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)

    name: str
    path: str
    spec: Spec
    node: yaml.MappingNode

    def line(self, *loc: str) -> int:
        return document.line_of(self.node, loc)

    def problem(self, field: str, what: str) -> Problem:
        return Problem(self.path, self.line(*field.split(".")), field, what)


def load(root: Path, stack: str, select: Iterable[str] = ()) -> list[SpecFile]:
    """The specs of `root`/jobs meant for `stack`, by name; with `select`, just those.

    Raises Problems with every fault of every file.
    """
    found: list[SpecFile] = []
    faults: list[Problem] = []
    wanted = set(select)
    paths = sorted([*(root / "jobs").glob("*.yaml"), *(root / "jobs").glob("*.yml")])
    for path in paths:
        if wanted and path.stem not in wanted:
            continue
        try:
            found.append(_load_one(path, path.relative_to(root).as_posix(), stack))
        except Problems as problems:
            faults.extend(problems.problems)
    faults.extend(_unknown(wanted, [path.stem for path in paths]))
    faults.extend(_twice(paths, root))
    if faults:
        raise Problems(faults)
    return [one for one in found if one.spec.environments is None or stack in one.spec.environments]


def _unknown(wanted: set[str], names: list[str]) -> list[Problem]:
    return [
        Problem("jobs", 0, name, "has no spec" + document.did_you_mean(name, names))
        for name in sorted(wanted - set(names))
    ]


def _twice(paths: list[Path], root: Path) -> list[Problem]:
    seen: dict[str, Path] = {}
    return [
        Problem(
            path.relative_to(root).as_posix(), 0, "", f"has the name of {first.name}; rename one"
        )
        for path in paths
        if (first := seen.setdefault(path.stem, path)) is not path
    ]


def _load_one(path: Path, shown: str, stack: str) -> SpecFile:
    if not NAME.fullmatch(path.stem):
        what = f'"{path.stem}" is no name for a job: a-z, 0-9 and "-", at most 63, a letter first'
        raise Problems([Problem(shown, 0, "", what)])
    node = document.read(path, shown)
    _validated(node, shown)
    node = _for_stack(node, stack, shown)
    return SpecFile(name=path.stem, path=shown, spec=_validated(node, shown), node=node)


def _validated(node: yaml.MappingNode, shown: str) -> Spec:
    try:
        return Spec.model_validate(document.values(node, shown))
    except ValidationError as error:
        raise Problems(document.problems(error, node, shown, Spec)) from None


def _for_stack(node: yaml.MappingNode, stack: str, shown: str) -> yaml.MappingNode:
    overrides = document.child(node, "overrides")
    over = document.child(overrides, stack) if overrides else None
    if not isinstance(over, yaml.MappingNode):
        return node
    refused = [
        Problem(
            shown,
            key.start_mark.line + 1,
            f"overrides.{stack}.{key.value}",
            "cannot differ by stack",
        )
        for key, _ in over.value
        if key.value in _NOT_OVERRIDDEN
    ]
    if refused:
        raise Problems(refused)
    return document.merged(node, over)
