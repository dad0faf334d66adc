"""Touched: what a pull request changes, by git: which specs, and whether the pipeline with them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jobs.runner.errors import VertuneError
from jobs.runner.spec import SpecFile

_SECONDS = 60
_SUFFIXES = (".yaml", ".yml")
# What decides how tuning is run, by whom and with which rights.
_PIPELINE = (
    ".ci/",
    ".github/",
    ".gitlab-ci",
    "ci/",
    "docs/gitlab-ci",
    "infra/",
    "jobs/emulator/",
    "jobs/runner/",
    "Pulumi",
)
_PIPELINE_FILES = ("Makefile", "pyproject.toml", "uv.lock")


@dataclass(frozen=True)
class Touched:
    """Paths from the root of the repository, as git has them."""

    paths: frozenset[str]

    @property
    def pipeline(self) -> tuple[str, ...]:
        """The files that decide how tuning is run."""
        return tuple(sorted(filter(_of_the_pipeline, self.paths)))

    @property
    def mixed(self) -> bool:
        """Whether it changes how tuning is run together with what is tuned."""
        return bool(self.pipeline) and any(map(_of_specs, self.paths))

    def names(self, files: Iterable[SpecFile]) -> frozenset[str]:
        """The specs it adds, edits or removes, and those whose examples it does."""
        of_data = {file.name for file in files if self._has(file.spec.dataset)}
        return frozenset({PurePosixPath(path).stem for path in self.paths if _a_spec(path)}) | (
            of_data
        )

    def _has(self, dataset: str) -> bool:
        place = dataset.strip("/")
        return any(path == place or path.startswith(f"{place}/") for path in self.paths)


def touched(root: Path, base: str) -> Touched:
    """What the commits of HEAD change that `base` has not. Raises VertuneError."""
    asked = ["diff", "--name-only", "--no-renames", "-z", "--end-of-options", f"{base}...HEAD"]
    try:
        found = subprocess.run(
            ["git", "-C", str(root), *asked, "--", "."],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VertuneError(f"git did not say what was changed: {error}") from None
    if found.returncode:
        said = (found.stderr.strip().splitlines() or ["no reason given"])[0]
        raise VertuneError(
            f"git does not know what was changed since {base}: {said};"
            f" fetch it with its history (`git fetch --unshallow origin`) and name it as git does"
        )
    return Touched(frozenset(filter(None, found.stdout.split("\0"))))


def _a_spec(path: str) -> bool:
    return PurePosixPath(path).parent == PurePosixPath("jobs") and path.endswith(_SUFFIXES)


def _of_specs(path: str) -> bool:
    return _a_spec(path) or path.startswith("datasets/")


def _of_the_pipeline(path: str) -> bool:
    return path.startswith(_PIPELINE) or path in _PIPELINE_FILES
