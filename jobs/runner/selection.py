"""Selection: the stack that is meant, found as Pulumi finds it, and what says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.runner import document
from jobs.runner.errors import VertuneError

DEFAULT = "local"
_PROJECT_FILE = "Pulumi.yaml"
_VARIABLES = ("VERTUNE_STACK", "PULUMI_STACK")


@dataclass(frozen=True)
class Selection:
    name: str
    why: str


def select(root: Path, environment: Mapping[str, str]) -> Selection:
    """Which stack of the repository is meant where no --stack says it."""
    for variable in _VARIABLES:
        if given := environment.get(variable):
            return Selection(_short(given), variable)
    if selected := _selected(root, environment):
        return Selection(_short(selected), "`pulumi stack select`")
    return Selection(DEFAULT, "default")


def _short(name: str) -> str:
    """Without the organization and the project that Pulumi may put before it."""
    return name.rpartition("/")[2]


def _selected(root: Path, environment: Mapping[str, str]) -> str | None:
    """What the engine keeps of this folder, by the place of its state."""
    home = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    project = document.values(document.read(root / _PROJECT_FILE, _PROJECT_FILE))
    path = _as_entered(root, environment) / _PROJECT_FILE
    digest = hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()
    kept = _read(home / "workspaces" / f"{project.get('name')}-{digest}-workspace.json")
    by_backend = kept.get("stacks")
    found = (by_backend or {}).get(_backend(project, home, environment)) or kept.get("stack")
    return found if isinstance(found, str) else None


def _as_entered(root: Path, environment: Mapping[str, str]) -> Path:
    """The repository by the path that the shell is in, which the engine goes by."""
    shell = Path(environment.get("PWD") or root)
    return next((p for p in (shell, *shell.parents) if p.exists() and p.samefile(root)), root)


def _backend(project: Mapping[str, Any], home: Path, environment: Mapping[str, str]) -> str | None:
    if given := environment.get("PULUMI_BACKEND_URL"):
        return given
    if isinstance(backend := project.get("backend"), dict) and backend.get("url"):
        return str(backend["url"])
    folder = Path(environment.get("PULUMI_CREDENTIALS_PATH") or home)
    return _read(folder / "credentials.json").get("current")


def _read(path: Path) -> dict[str, Any]:
    """A file of the engine's; an empty mapping where there is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise VertuneError(
            f"{path}, where Pulumi keeps what is selected, cannot be read: {error};"
            " give --stack NAME"
        ) from None
    return found if isinstance(found, dict) else {}
