"""Spec: what one YAML file in jobs/ wants tuned; its name is the file's stem."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from jobs.runner import document
from jobs.runner.errors import Problem, Problems
from jobs.runner.rules import RULES

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
NAME_RULE = 'a-z, 0-9 and "-", at most 63, a letter first, no "-" at the end'
_LABEL_KEY = "[a-z][a-z0-9_-]{0,62}"
_LABEL_VALUE = "[a-z0-9_-]{0,63}"
_MOST_LABELS = 60  # a resource takes 64, and vertune and the service set some of their own

_IGNORABLE: list[str | int] = [rule.id for rule in RULES.values() if rule.severity != "error"]

NOT_OVERRIDDEN = ("task", "environments", "overrides")


def _epochs(value: object) -> object:
    if value is None or value == "auto" or (type(value) is int and 1 <= value <= 1000):
        return value
    raise ValueError('must be a whole number from 1 to 1000, or "auto"')


def _whole(value: object) -> object:
    """A truth value and 4.0 equal whole numbers to a Literal."""
    if isinstance(value, bool | float):
        raise ValueError("must be a whole number")
    return value


def _label_key(key: str) -> str:
    if not re.fullmatch(_LABEL_KEY, key):
        raise ValueError(
            'is no label: a-z, 0-9, "_" and "-", at most 63 characters, a letter first'
        )
    if key.startswith("vertune-"):
        raise ValueError('cannot be set: labels that start with "vertune-" are vertune\'s own')
    return key


def _label_value(value: str) -> str:
    if not re.fullmatch(_LABEL_VALUE, value):
        raise ValueError('is no label value: a-z, 0-9, "_" and "-", at most 63 characters')
    return value


def _rule_id(value: str) -> str:
    rule = RULES.get(value)
    if rule is None:
        raise ValueError("is no finding" + document.did_you_mean(value, RULES, ""))
    if rule.severity == "error":
        raise ValueError("is an error, which cannot be ignored; mend it")
    return value


_Epochs = Annotated[
    Annotated[int, Field(ge=1, le=1000)] | Literal["auto"] | None, BeforeValidator(_epochs)
]
_AdapterSize = Annotated[Literal[1, 2, 4, 8, 16, 32] | None, BeforeValidator(_whole)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_RuleId = Annotated[str, AfterValidator(_rule_id), Field(json_schema_extra={"enum": _IGNORABLE})]
_LabelKey = Annotated[
    str, AfterValidator(_label_key), Field(json_schema_extra={"pattern": f"^{_LABEL_KEY}$"})
]
_LabelValue = Annotated[
    str, AfterValidator(_label_value), Field(json_schema_extra={"pattern": f"^{_LABEL_VALUE}$"})
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Tuning(_Model):
    """How to tune; what is left out is the service's default."""

    epochs: _Epochs = Field(
        default=None,
        description="Passes over the examples, or `auto` to let the service choose.",
        examples=[3, "auto"],
    )
    steps: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="The unit of 2023, batches of 8 examples; converted to epochs.",
        examples=[100],
    )
    learning_rate_multiplier: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Factor on the service's recommended learning rate.",
        examples=[1.0],
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="The setting of 2023; accepted, not carried over: its scale is another one.",
    )
    adapter_size: _AdapterSize = Field(
        default=None,
        description="Rank of the adapter; the base model says which it takes.",
        examples=[4],
    )
    continue_from: str | None = Field(
        default=None,
        pattern=f"^{NAME.pattern}$",
        description="Name of a spec whose tuned model this one goes on from.",
        examples=["headlines"],
    )

    @model_validator(mode="after")
    def _one_length(self) -> "Tuning":
        if self.epochs is not None and self.steps is not None:
            raise ValueError("give epochs or steps, not both")
        if self.learning_rate is not None and self.learning_rate_multiplier is not None:
            raise ValueError("give learning_rate_multiplier; learning_rate is its form of 2023")
        return self

    def as_written(self) -> dict[str, Any]:
        """What the job is made from; `learning_rate` is not carried over, so it is not in it.

        Nor is `continue_from`: what counts is the tuning that it leads to, not its name.
        """
        left_out = {"learning_rate", "continue_from"}
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude=left_out)


class Evaluation(_Model):
    """What the tuned model must reach on the test split before it is served."""

    metric: Metric | None = Field(default=None, description="By default the metric of the task.")
    at_least: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Pass mark; below it the model is not served.",
        examples=[0.9],
    )


class Ignored(_Model):
    """A rule that does not hold for this spec, and why."""

    id: _RuleId = Field(description="A warning or advice; errors cannot be ignored.")
    reason: _Text = Field(
        description="Why; it is shown wherever the finding would be.",
        examples=["three people wrote a summary each"],
    )


class Check(_Model):
    """What a check leaves out. It changes nothing about what is tuned."""

    ignore: tuple[Ignored, ...] = Field(
        default=(), strict=False, description="Findings that are meant to be so."
    )


class Spec(_Model):
    """A tuning job as a file: one file, one tuned model."""

    task: Task = Field(description="Decides metric, recommended sizes and how much is generated.")
    base_model: _Text = Field(
        description="See `vertune models`.", examples=["gemini-3.1-flash-lite"]
    )
    dataset: _Text = Field(
        description="Folder with train, validation and test.jsonl, a .jsonl file,"
        " gs://bucket/object.jsonl or gs://bucket/prefix/.",
        examples=["datasets/headlines"],
    )
    instructions: _Text | None = Field(
        default=None,
        description="System instruction of every example and prediction.",
        examples=["Summarize the dialogue in one sentence."],
    )
    tuning: Tuning = Field(
        default_factory=Tuning,
        examples=[{"epochs": 3, "adapter_size": 4}],
    )
    budget_usd: float | None = Field(
        default=None,
        ge=0,
        description="Refuse to submit when the estimate is above this.",
        examples=[2],
    )
    pin: Annotated[str, StringConstraints(pattern="^[0-9a-f]{12,64}$")] | None = Field(
        default=None,
        description="Serve the tuned model whose fingerprint begins so, and tune nothing.",
        examples=["0123456789ab"],
    )
    promotion: Literal["retune", "copy"] = Field(
        default="retune",
        description="How it comes to a stack that promotes from another one of the same project:"
        " tuned once more, or that stack's tuned model copied.",
        examples=["copy"],
    )
    priority: int = Field(
        default=0, ge=-1000, le=1000, description="Of the specs that wait, higher ones go first."
    )
    evaluation: Evaluation = Field(
        default_factory=Evaluation,
        examples=[{"metric": "accuracy", "at_least": 0.9}],
    )
    check: Check = Field(
        default_factory=Check,
        examples=[{"ignore": [{"id": "VT-D104", "reason": "three people wrote a summary each"}]}],
    )
    environments: tuple[_Text, ...] | None = Field(
        default=None,
        strict=False,
        min_length=1,
        description="Stacks it is meant for; all by default.",
        examples=[["local", "dev"]],
    )
    overrides: dict[str, dict[str, Any]] = Field(
        default={},
        description="By stack: values that replace the ones above.",
        examples=[{"prod": {"budget_usd": 20}}],
    )
    labels: dict[_LabelKey, _LabelValue] = Field(
        default={},
        max_length=_MOST_LABELS,
        description="Labels of the job, the tuned model and its endpoint.",
        examples=[{"team": "search"}],
    )

    @property
    def metric(self) -> Metric:
        return self.evaluation.metric or DEFAULT_METRIC[self.task]


@dataclass(frozen=True)
class SpecFile:
    """A spec, its name, and the lines its values came from."""

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
    found, faults = read(root, stack, select)
    if faults:
        raise Problems(faults)
    return found


def read(
    root: Path, stack: str, select: Iterable[str] = ()
) -> tuple[list[SpecFile], list[Problem]]:
    """What `load` gives, and the faults of the files that are no specs beside it."""
    wanted = set(select)
    try:
        files = _files(root / "jobs")
    except OSError as error:
        return [], [_unreadable(error)]
    chosen = sorted(p for p in files if not wanted or p.stem in wanted)
    found: list[SpecFile] = []
    faults = [*_unknown(wanted, {path.stem for path in files}), *_twice(chosen, root)]
    for path in chosen:
        if _leads_out(path, root):
            what = "lies outside of the repository; put the file itself into jobs/"
            faults.append(Problem(path.relative_to(root).as_posix(), 0, "", what))
            continue
        try:
            found.append(_load_one(path, path.relative_to(root).as_posix(), stack))
        except Problems as problems:
            faults.extend(problems.problems)
    faults += _unknown_stacks(found, root)
    meant = [f for f in found if f.spec.environments is None or stack in f.spec.environments]
    return meant, faults


def names(root: Path) -> set[str]:
    """What has a spec, for whichever stack, be it faulty."""
    try:
        return {path.stem for path in _files(root / "jobs")}
    except OSError as error:
        raise Problems([_unreadable(error)]) from None


def _unreadable(error: OSError) -> Problem:
    """Which is not to have no specs: all would be forgotten."""
    return Problem("jobs", 0, "", f"cannot be read: {error.strerror}")


def _files(folder: Path) -> list[Path]:
    names = os.listdir(folder) if folder.exists() else []
    kinds = (".yaml", ".yml")
    return [folder / name for name in names if name.endswith(kinds) and name[0] != "."]


def _leads_out(path: Path, root: Path) -> bool:
    """Whether it is a link to what is not in git, of which messages might show something."""
    return os.path.islink(path) and not Path(os.path.realpath(path)).is_relative_to(root.resolve())


def _unknown(wanted: set[str], names: set[str]) -> list[Problem]:
    return [
        Problem("jobs", 0, name, "has no spec" + document.did_you_mean(name, sorted(names)))
        for name in sorted(wanted - names)
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


def _unknown_stacks(files: list[SpecFile], root: Path) -> Iterator[Problem]:
    """Stacks that have no settings here: a typo, by which something is never tuned."""
    known = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
    for file in files:
        for key, names in (
            ("environments", file.spec.environments or ()),
            ("overrides", file.spec.overrides),
        ):
            for name in names:
                if name not in known:
                    what = f'"{name}" is no stack here' + document.did_you_mean(name, known)
                    yield file.problem(key, what)


def _load_one(path: Path, shown: str, stack: str) -> SpecFile:
    if not NAME.fullmatch(path.stem):
        raise Problems([Problem(shown, 0, "", f'"{path.stem}" is no name for a job: {NAME_RULE}')])
    node = document.read(path, shown)
    spec, faults = _validated(node, shown)
    faults += _faults_of_overrides(node, shown, faults)
    for name, over in _overrides(node):
        if name == stack:
            node = document.merged(node, over)
            spec, _ = _validated(node, shown)
    if spec is None or faults:
        raise Problems(faults)
    return SpecFile(path.stem, shown, spec, node)


def _validated(node: yaml.MappingNode, shown: str) -> tuple[Spec | None, list[Problem]]:
    try:
        return Spec.model_validate(document.values(node)), []
    except ValidationError as error:
        return None, document.problems(error, node, shown, Spec)


def _overrides(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Every stack with its override, whichever stack is meant: a typo shows before its day."""
    overrides = document.child(node, "overrides")
    for key, value in overrides.value if isinstance(overrides, yaml.MappingNode) else ():
        if isinstance(value, yaml.MappingNode):
            yield key.value, value


def _faults_of_overrides(
    node: yaml.MappingNode, shown: str, without: Iterable[Problem]
) -> list[Problem]:
    """The faults that overrides bring, not those which are there `without` them."""
    known = {(fault.field, fault.what) for fault in without}
    found = []
    for name, over in _overrides(node):
        where = f"overrides.{name}"
        for key in NOT_OVERRIDDEN:
            if document.child(over, key):
                line = document.line_of(node, ("overrides", name, key))
                found.append(Problem(shown, line, f"{where}.{key}", "cannot differ by stack"))
        for fault in _validated(document.merged(node, over), shown)[1]:
            if (fault.field, fault.what) not in known:
                found.append(Problem(shown, fault.line, f"{where}.{fault.field}", fault.what))
    return found
