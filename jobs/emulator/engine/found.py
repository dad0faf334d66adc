"""The engine this machine already has: Pulumi on PATH, else the one kept in the clone."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.emulator.engine import pins
from jobs.emulator.engine.pins import Version

Source = Literal["PATH", "installed", "built"]

OLDEST: Version = (3, 200, 0)
_HOST = "pulumi-language-python"


@dataclass(frozen=True)
class Engine:
    """A Pulumi command line that runs, and the Python language host that it will use."""

    pulumi: Path
    version: str
    language_host: Path | None
    source: Source

    def path_entries(self) -> tuple[Path, ...]:
        """The folders that must come first on PATH when this engine runs a program of ours."""
        # The language host of before 2023 runs whatever `python3` comes first.
        folders = [Path(sys.prefix) / "bin", self.pulumi.parent]
        if self.language_host is not None:
            folders.append(self.language_host.parent)
        return tuple(dict.fromkeys(folders))


@dataclass(frozen=True)
class Refused:
    """A Pulumi on PATH that does not do, and why."""

    why: str


def find(root: Path) -> Engine | None:
    """The engine of the clone at `root`, without making one."""
    candidate = on_path(root)
    return candidate if isinstance(candidate, Engine) else in_clone(root)


def on_path(root: Path) -> Engine | Refused | None:
    """Pulumi as the user installed it; the clone's own does not count, even if PATH leads to it."""
    own = folder(root) / "bin"
    entries = os.get_exec_path()
    path = os.pathsep.join(entry for entry in entries if Path(entry) != own)
    command = shutil.which("pulumi", path=path)
    if command is None:
        return None
    pulumi = Path(command)
    version = version_of(pulumi)
    if version is None:
        return Refused(f"{pulumi} does not tell its version")
    if not OLDEST <= pins.version_of(version) < (OLDEST[0] + 1, 0, 0):
        oldest = ".".join(map(str, OLDEST))
        return Refused(f"{pulumi} is {version}; {oldest} or a later 3.x is needed")
    host = _language_host(pulumi, path)
    if host is None:
        return Refused(f"{pulumi} has no {_HOST} beside it or on PATH")
    return Engine(pulumi, version, host, "PATH")


def version_of(pulumi: Path) -> str | None:
    """What `pulumi version` says, without its v; None if it does not run."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        ran = subprocess.run(
            [pulumi, "version"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        pins.version_of(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return ran.stdout.strip().removeprefix("v")


def _language_host(pulumi: Path, path: str) -> Path | None:
    beside = [pulumi.parent, pulumi.resolve().parent]
    found = shutil.which(_HOST, path=os.pathsep.join([*map(str, beside), path]))
    return Path(found) if found else None


def folder(root: Path) -> Path:
    """Where a clone keeps the engine made for it."""
    return root / ".vertune" / "engine"


def in_clone(root: Path) -> Engine | None:
    """The engine in the clone, if its stamp equals the pins and its files are there."""
    home = folder(root)
    pulumi, host = home / "bin" / "pulumi", home / "bin" / _HOST
    match _stamp(home):
        case {
            "pins": str(digest),
            "version": str(version),
            "source": "installed" | "built" as made,
        }:
            whole = all(os.access(file, os.X_OK) for file in (pulumi, host))
            if digest == pins.digest() and whole:
                return Engine(pulumi, version, host, made)
    return None


def _stamp(home: Path) -> object:
    try:
        return json.loads((home / "stamp.json").read_bytes())
    except (OSError, ValueError):
        return None


def write_stamp(home: Path, version: str, source: Source) -> None:
    stamp = {"pins": pins.digest(), "version": version, "source": source}
    (home / "stamp.json").write_text(json.dumps(stamp, indent=2) + "\n")
