"""Pulumi: the genuine engine's command line, on an emulator, with a state folder of its own."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from jobs.emulator import engine
from jobs.emulator.environment import environment

ROOT = Path(__file__).parents[2]
_COUNT = re.compile(r"^ {4}.*?(\d+) (created|updated|deleted|unchanged|imported|errored)$")


@dataclass(frozen=True)
class Ran:
    code: int
    text: str

    @property
    def counts(self) -> dict[str, int]:
        """Resources by what became of them, as Pulumi sums them up."""
        found = [_COUNT.match(line) for line in self.text.splitlines()]
        return {one[2]: int(one[1]) for one in found if one}


def with_engine(found: Mapping[str, str]) -> dict[str, str]:
    """An environment in which the engine is found."""
    engines = engine.find(ROOT)
    assert engines, "there is no Pulumi engine: `python -m jobs.emulator.engine` makes one"
    path = os.pathsep.join([*map(str, engines.path_entries()), found["PATH"]])
    return {**found, "PATH": path}


def ran(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: int = 120
) -> Ran:
    """A command that reads nothing, with all it said in one text."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout)


class Pulumi:
    """The stack `local` of a project; its settings are a copy that a test may change."""

    def __init__(
        self, url: str, folder: Path, project: Path = ROOT, account: str | None = None
    ) -> None:
        """`account` is the service account whose place it takes."""
        (folder / "pulumi").mkdir(parents=True)
        self.settings = folder / "Pulumi.local.yaml"
        shutil.copy(project / "Pulumi.local.yaml", self.settings)
        self._project = project
        self._environment = with_engine({**os.environ, **environment(url, folder, ROOT)})
        self._environment["PULUMI_HOME"] = str(folder / "home")
        if account:
            self._environment["GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"] = account
        assert self("stack", "init", "local", settings=False).code == 0

    def __call__(self, *arguments: str, settings: bool = True) -> Ran:
        command = [*arguments, "--non-interactive", "--color=never"]
        if settings:
            command += ["--config-file", str(self.settings)]
        return ran(["pulumi", *command], self._project, self._environment)

    def acting_as(self, account: str) -> "Pulumi":
        """The same stack, in the place of a service account."""
        other = copy(self)
        other._environment = self._environment | {"GOOGLE_IMPERSONATE_SERVICE_ACCOUNT": account}
        return other

    def up(self) -> Ran:
        return self("up", "--yes", "--skip-preview", "--suppress-progress")
