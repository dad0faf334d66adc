"""Scaffold: a new stack's settings, after those of one that is there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.runner import document, stack
from jobs.runner.errors import VertuneError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]|[a-z0-9]")
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
# Of one environment only: an id of GitHub's is not, but whom it lets in is decided anew.
_NOT_TAKEN = ("vertune:emulator", "vertune:github", "vertune:ledgerReaders", "vertune:promotesFrom")


@dataclass(frozen=True)
class NewStack:
    text: str
    project: str
    bucket: str
    left_out: tuple[str, ...]


def _settings(root: Path, name: str) -> dict[str, Any]:
    stack.settings(root, name)  # says what is wrong with them, if anything is
    path = root / f"Pulumi.{name}.yaml"
    found = document.values(document.read(path, path.name)).get("config")
    return dict(found) if isinstance(found, dict) else {}


def new_stack(root: Path, name: str, like: str, project: str | None) -> NewStack:
    """Raises VertuneError: a name that cannot be one, settings of the other that cannot be read."""
    if not _NAME.fullmatch(name):
        raise VertuneError(f'"{name}" is no name for a stack: a-z, 0-9 and "-", at most 40')
    if (root / f"Pulumi.{name}.yaml").exists():
        raise VertuneError(f"Pulumi.{name}.yaml exists; choose another name or edit it")
    other = _settings(root, like)
    project = project or _renamed(str(other["gcp:project"]), like, name)
    if not _PROJECT.fullmatch(project):
        raise VertuneError(
            f'"{project}" is no id of a project: 6 to 30 of a-z, 0-9 and "-"; give --project'
        )
    bucket = f"{project}-vertune"  # as unique as the project: names of buckets are taken worldwide
    _refuse_taken(root, project, bucket)
    left_out = tuple(key for key in _NOT_TAKEN if key in other)
    config = {key: other[key] for key in other if key not in _NOT_TAKEN}
    config |= {"gcp:project": project, "vertune:bucket": bucket}
    labels = config.get("vertune:labels")
    if isinstance(labels, Mapping) and labels.get("environment") == like:
        config["vertune:labels"] = {**labels, "environment": name}
    text = yaml.safe_dump({"config": config}, sort_keys=False, allow_unicode=True)
    return NewStack(text, project, bucket, left_out)


def _renamed(project: str, like: str, name: str) -> str:
    head, found, tail = project.rpartition(like)
    return f"{head}{name}{tail}" if found else f"{project}-{name}"


def _refuse_taken(root: Path, project: str, bucket: str) -> None:
    """Two stacks on one bucket or project would each undo what the other made."""
    for path in sorted(root.glob("Pulumi.*.yaml")):
        config = _settings(root, path.name.split(".")[1])
        for key, value in (("gcp:project", project), ("vertune:bucket", bucket)):
            if config.get(key) == value:
                raise VertuneError(f"{path.name} has {key} {value} already; give --project")
