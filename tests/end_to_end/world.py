"""World: a user's repository with an emulator of its own and the genuine engine, as processes."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Repository

CLONE = Path(__file__).resolve().parents[2]
_BIN = Path(sys.prefix) / "bin"


@dataclass
class World:
    """Commands run in `repository` as a person would type them; ends with `close`."""

    repository: Repository
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, repository: Repository) -> "World":
        root = repository.root
        shutil.copytree(
            CLONE / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(CLONE / "Pulumi.yaml", root)
        engine = CLONE / ".vertune" / "engine"
        if engine.is_dir():
            (root / ".vertune" / "engine").symlink_to(engine)
        path = os.pathsep.join([str(_BIN), os.environ["PATH"]])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("VERTUNE_", "PULUMI_"))}
        return cls(repository, {**kept, "PATH": path, "VERTUNE_STACK": "local"})

    def run(
        self, *command: str, stdin: str | None = None, seconds: int = 120
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.repository.root,
            env=self.environment,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def begin(self, *command: str) -> "subprocess.Popen[bytes]":
        """A command that goes on while the test does."""
        return subprocess.Popen(
            command,
            cwd=self.repository.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def done(self, *command: str, stdin: str | None = None, seconds: int = 120) -> str:
        """The standard output of a command that must succeed."""
        ended = self.run(*command, stdin=stdin, seconds=seconds)
        assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def start(self, trainer: str = "nearest") -> None:
        """Start the emulator and take over its environment, as the README tells."""
        self.done("vertune", "emulator", "start", "--trainer", trainer)
        printed = self.done("sh", "-c", 'eval "$(vertune emulator env)"; env -0')
        self.environment = dict(line.split("=", 1) for line in printed.split("\0") if "=" in line)

    def provision(self) -> None:
        self.done("pulumi", "stack", "select", "local", "--create")
        self.done("pulumi", "up", "--stack", "local", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, Any]:
        printed = self.done("pulumi", "stack", "output", "--json", "--stack", "local")
        found: dict[str, Any] = json.loads(printed)
        return found

    def jobs(self) -> int:
        """How many tuning jobs the emulator was ever asked for."""
        from jobs.runner.commands import Place

        vertex = Place("local", self.repository.root).vertex
        return len(vertex.jobs({"vertune-stack": "local"}))

    def server(self) -> dict[str, Any]:
        text = (self.repository.root / ".vertune/emulator/server.json").read_text("utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def close(self) -> None:
        self.run("vertune", "emulator", "stop")
