"""The workflow files, read as GitHub reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


class _Loader(yaml.SafeLoader):
    """Of YAML 1.2, in which `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, how) for tag, how in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tf"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Step:
    """One step of a job, as it is written."""

    workflow: str
    job: str
    body: dict[str, Any]

    @property
    def run(self) -> str | None:
        return self.body.get("run")

    @property
    def uses(self) -> str | None:
        return self.body.get("uses")

    def __str__(self) -> str:
        return f"{self.workflow}: {self.job}: {self.run or self.uses}"


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((FOLDER / f"{name}.yml").read_text("utf-8"), _Loader)
    return found


def steps() -> Iterator[Step]:
    for file in FILES:
        for name, job in workflow(file.stem)["jobs"].items():
            for body in job["steps"]:
                yield Step(file.stem, name, body)
