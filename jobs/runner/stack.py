"""Stack: one environment's settings, where its services answer, and its outputs in Pulumi."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.runner import document
from jobs.runner.errors import Problem, Problems, Unreachable, VertuneError

PROJECT_FILE = "Pulumi.yaml"
_EMULATOR = Path(".vertune/emulator/server.json")  # written by the emulator once it serves


class Settings(BaseModel):
    """What the runner needs of Pulumi.<stack>.yaml; the program in infra/ checks all of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    project: str = Field(alias="gcp:project")
    region: str = Field(alias="gcp:region")
    bucket: str = Field(alias="vertune:bucket")
    emulator: bool = Field(default=False, alias="vertune:emulator")
    serving_location: str | None = Field(default=None, alias="vertune:servingLocation")
    max_usd: float | None = Field(default=None, alias="vertune:maxUsd")
    max_concurrent_jobs: int = Field(default=1, ge=1, alias="vertune:maxConcurrentJobs")


@dataclass(frozen=True)
class Stack:
    """A stack of the repository at `root`; `endpoint` None means Google Cloud."""

    name: str
    root: Path
    settings: Settings
    endpoint: str | None
    environment: Mapping[str, str]  # what a Pulumi process for this stack needs, beside os.environ

    @property
    def simulated(self) -> bool:
        return self.endpoint is not None


def find_root(start: Path) -> Path:
    """The nearest folder upwards that is a vertune repository."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file() and (folder / "jobs").is_dir():
            return folder
    raise VertuneError(
        f"{start} is not inside a vertune repository: no {PROJECT_FILE} beside jobs/ here or above"
    )


def load(root: Path, name: str) -> Stack:
    """The stack `name`. Raises VertuneError: no such stack, wrong settings, no emulator."""
    settings = _settings(root, name)
    if not settings.emulator:
        return Stack(name, root, settings, None, {})
    url, environment = _emulator(root)
    return Stack(name, root, settings, url, environment)


def settings(root: Path, name: str) -> Settings:
    return _settings(root, name)


def _settings(root: Path, name: str) -> Settings:
    path = root / f"Pulumi.{name}.yaml"
    if not path.is_file():
        names = sorted(p.name.split(".")[1] for p in root.glob("Pulumi.*.yaml"))
        hint = document.did_you_mean(name, names)
        raise VertuneError(f'there is no stack "{name}" ({path.name} is missing){hint}')
    node = document.read(path, path.name)
    config = document.child(node, "config")
    try:
        values = document.values(node).get("config") or {}
        return Settings.model_validate(values)
    except ValidationError as error:
        raise Problems(
            Problem(
                path.name,
                document.line_of(config or node, item["loc"]),
                str(item["loc"][0]),
                item["msg"][:1].lower() + item["msg"][1:],
            )
            for item in error.errors()
        ) from None


def _emulator(root: Path) -> tuple[str, dict[str, str]]:
    """Where this clone's emulator answers, and the environment of tools that are to use it."""
    start = "start it with `vertune emulator start`"
    try:
        server = json.loads((root / _EMULATOR).read_text("utf-8"))
        url, environment = str(server["url"]), dict(server["env"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Unreachable(f"the emulator is not running; {start}") from None
    try:
        with urlopen(f"{url}/storage/v1/b?project=probe", timeout=10):
            pass
    except URLError as error:
        if not hasattr(error, "code"):
            raise Unreachable(f"the emulator at {url} does not answer; {start}") from None
    except OSError:
        raise Unreachable(f"the emulator at {url} does not answer; {start}") from None
    return url, environment


def record(stack: Stack) -> Mapping[str, Any]:
    """Refresh the stack's outputs from the ledger and return `tuned_models`.

    An update whose only target is the stack itself: it cannot touch another resource.
    """
    from pulumi import automation

    with_engine = _opened(stack)
    urn = f"urn:pulumi:{stack.name}::{_project_name(stack.root)}::pulumi:pulumi:Stack::" + (
        f"{_project_name(stack.root)}-{stack.name}"
    )
    try:
        result = with_engine.up(target=[urn], suppress_progress=True)
    except automation.ConcurrentUpdateError as error:
        raise VertuneError(
            "another update of this stack is running; the tuned models are safe in the ledger,"
            " run `vertune record` when it is done"
        ) from error
    except automation.CommandError as error:
        raise VertuneError(
            "the outputs could not be recorded; the tuned models are safe in the ledger, run"
            f" `vertune record` once this is mended:\n{_last_lines(str(error))}"
        ) from error
    output = result.outputs.get("tuned_models")
    return dict(output.value) if output else {}


def _opened(stack: Stack) -> Any:
    from pulumi import automation

    environment = {**stack.environment, "PATH": _path(stack)}
    os.environ.update(environment)  # the command is looked up before its own environment counts
    try:
        return automation.select_stack(
            stack_name=stack.name,
            work_dir=str(stack.root),
            opts=automation.LocalWorkspaceOptions(env_vars=environment),
        )
    except FileNotFoundError as error:
        raise VertuneError(
            "there is no Pulumi engine; `vertune doctor` says how to get it"
        ) from error
    except automation.StackNotFoundError as error:
        raise VertuneError(
            f'Pulumi has no stack "{stack.name}"; run `pulumi up --stack {stack.name}` first'
        ) from error
    except automation.CommandError as error:
        raise VertuneError(f"Pulumi refused:\n{_last_lines(str(error))}") from error


def _path(stack: Stack) -> str:
    """PATH with this Python first, which runs the program, and the clone's own engine last."""
    path = stack.environment.get("PATH") or os.environ.get("PATH", os.defpath)
    engine = stack.root / ".vertune" / "engine" / "bin"
    return os.pathsep.join([str(Path(sys.prefix) / "bin"), path, str(engine)])


def _project_name(root: Path) -> str:
    values = document.values(document.read(root / PROJECT_FILE, PROJECT_FILE))
    return str(values.get("name"))


def _last_lines(text: str, count: int = 12) -> str:
    kept = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(kept[-count:])
