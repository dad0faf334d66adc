"""Stack: one environment's settings, where its services answer, and its outputs in Pulumi."""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from jobs.runner import catalog, document, remote
from jobs.runner.errors import Problem, Problems, Unreachable, VertuneError
from jobs.runner.policy import Asked

R = TypeVar("R")

PROJECT_FILE = "Pulumi.yaml"
_EMULATOR = Path(".vertune/emulator/server.json")  # written by the emulator once it serves
_EMULATORS_NAME = "vertune-emulator"  # what it calls itself in every answer
_START = "start it with `vertune emulator start`"
_PROBE_SECONDS = 10
_UPDATE = ("up", "--yes", "--skip-preview", "--suppress-progress")
_OTHERS_SECONDS = 120.0  # for which another update of the stack is waited for
_SIGNED_IN = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN")
_ELSEWHERE = "VERTUNE_EMULATOR_URL"  # set in a shell whose tools use the emulator


def _base_model(name: str) -> str:
    known = catalog.load()
    if name not in known.base_models:
        raise ValueError(f"must name base models: {known.unknown(name)}")
    return name


_BaseModel = Annotated[str, AfterValidator(_base_model)]
_Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # US dollars per million tokens


class Settings(BaseModel):
    """What the runner needs of Pulumi.<stack>.yaml; the program in infra/ checks all of it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    project: str = Field(alias="gcp:project")
    region: str = Field(alias="gcp:region")
    bucket: str = Field(alias="vertune:bucket")
    emulator: bool = Field(default=False, alias="vertune:emulator")
    serving_location: str | None = Field(default=None, alias="vertune:servingLocation")
    max_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False, alias="vertune:maxUsd")
    promotes_from: str | None = Field(default=None, alias="vertune:promotesFrom")
    max_concurrent_jobs: int = Field(default=1, ge=1, alias="vertune:maxConcurrentJobs")
    monthly_usd: int | None = Field(default=None, gt=0, alias="vertune:monthlyUsd")
    kms_key: str | None = Field(default=None, alias="vertune:kmsKey")
    prices: Mapping[_BaseModel, _Price] = Field(default={}, alias="vertune:prices")


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
    found = settings(root, name)
    if not found.emulator:
        return Stack(name, root, found, None, {})
    url, environment = _emulator(root)
    taken_over = os.environ.get(_ELSEWHERE) == url  # and what was set there since, holds
    return Stack(name, root, found, url, {} if taken_over else environment)


def settings(root: Path, name: str) -> Settings:
    """What Pulumi.<name>.yaml says. Raises VertuneError: no such file, wrong values."""
    path = root / f"Pulumi.{name}.yaml"
    if not path.exists():
        files = sorted(p.name for p in root.glob("Pulumi.*.yaml"))
        names = [file.removeprefix("Pulumi.").removesuffix(".yaml") for file in files]
        hint = document.did_you_mean(name, names)
        raise VertuneError(f'there is no stack "{name}" ({path.name} is missing){hint}')
    node = document.read(path, path.name)
    config = document.child(node, "config") or node
    values = document.values(node).get("config") or {}
    faults: dict[tuple[str, ...], str] = {(key,): what for key, what in _misspelt(values)}
    try:
        found = Settings.model_validate(values)
    except ValidationError as error:
        for item in error.errors():
            place = tuple(str(part) for part in item["loc"] if part != "[key]") or ("config",)
            faults[place] = _sentence(item["type"], item["msg"])
    if faults:
        raise Problems(
            Problem(path.name, document.line_of(config, place), ".".join(place), what)
            for place, what in faults.items()
        )
    return found


def _misspelt(values: Any) -> Iterator[tuple[str, str]]:
    """Keys that nearly are one of ours: a spend cap that is not seen must not be no cap."""
    ours = {str(f.alias).lower(): str(f.alias) for f in Settings.model_fields.values()}
    for key in values if isinstance(values, dict) else ():
        near = difflib.get_close_matches(key.lower(), ours, n=1, cutoff=0.85)
        if near and key not in ours.values():
            yield key, f'is no setting; did you mean "{ours[near[0]]}"?'


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing; every stack needs it"
    if kind == "model_type":
        return "must be a mapping of settings to values"
    if kind == "string_type":
        return "must be text; put it in quotes"
    message = message.removeprefix("Value error, ").removeprefix("Input should ")
    return message if message.startswith("must") else f"must {message}"


def _emulator(root: Path) -> tuple[str, dict[str, str]]:
    """Where this clone's emulator answers, and the environment of tools that are to use it."""
    try:
        server = json.loads((root / _EMULATOR).read_text("utf-8"))
        environment = {str(key): str(value) for key, value in server["env"].items()}
        url = str(server["url"]).rstrip("/")
    except FileNotFoundError:
        raise Unreachable(f"the emulator is not running; {_START}") from None
    except OSError as error:
        raise Unreachable(
            f"{_EMULATOR} cannot be read: {error.strerror}; remove it, then start the emulator"
            " with `vertune emulator start`"
        ) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Unreachable(f"{_EMULATOR} is not what an emulator writes; {_START}") from None
    if not url.startswith("http://") or not remote.on_loopback(url):
        raise Unreachable(f"{_EMULATOR} names {url}, which is not on this machine; {_START}")
    if _server_at(url) != _EMULATORS_NAME:
        raise Unreachable(f"what answers at {url} is not the emulator; {_START}")
    return url, environment


def _server_at(url: str) -> str | None:
    """What the server there calls itself; asked past any proxy. Raises Unreachable."""
    try:
        with build_opener(ProxyHandler({})).open(f"{url}/", timeout=_PROBE_SECONDS) as answer:
            return str(answer.headers["Server"])
    except HTTPError as error:
        with error:
            return error.headers["Server"]
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"the emulator at {url} does not answer; {_START}") from error


def _unheard(text: str) -> None: ...


def record(stack: Stack, told: Callable[[str], None] = _unheard) -> Mapping[str, Any]:
    """Refresh the stack's outputs from the ledger and return `tuned_models`.

    An update whose only target is the stack itself: it cannot touch another resource.
    """
    from pulumi import automation

    run = _runner(stack)
    urn = f"urn:pulumi:{stack.name}::{project_name(stack.root)}::pulumi:pulumi:Stack::" + (
        f"{project_name(stack.root)}-{stack.name}"
    )
    try:
        _once_free(lambda: run(*_UPDATE, "--target", urn), told)
        outputs = json.loads(run("stack", "output", "--json"))
    except automation.ConcurrentUpdateError as error:
        raise VertuneError(
            f"{_held_by(error)}; the tuned models are safe in the ledger, run"
            " `vertune record` when it is done. If it was killed, end it first:"
            f" `pulumi cancel --stack {stack.name}`"
        ) from error
    except automation.StackNotFoundError as error:
        raise _no_such_stack(stack) from error
    except automation.CommandError as error:
        raise VertuneError(
            "the outputs could not be recorded; the tuned models are safe in the ledger, run"
            f" `vertune record` once this is mended:\n{_why(error)}"
        ) from error
    return dict(outputs.get("tuned_models") or {})


def _runner(stack: Stack) -> Callable[..., str]:
    """What a command of the engine prints: the API's own `up` would ask it for five more things."""
    engine, environment = _engine(stack)

    def run(*words: str) -> str:
        command = [*words, "--stack", stack.name]
        return str(engine.run(command, str(stack.root), environment).stdout)

    return run


def _once_free(update: Callable[[], R], told: Callable[[str], None]) -> R:
    """An update, once no other one holds the stack; that is waited for, and told once."""
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry, if_exception_type
    from pulumi import automation

    waited: list[Exception] = []

    def waits(error: Exception) -> None:
        if not waited:
            told(f"{_held_by(error)}; waiting for it")
        waited.append(error)

    retry = Retry(
        if_exception_type(automation.ConcurrentUpdateError),
        initial=remote.patient(1.0),
        maximum=remote.patient(8.0),
        timeout=remote.patient(_OTHERS_SECONDS),
        on_error=waits,
    )
    try:
        return retry(update)()
    except RetryError as error:
        raise error.cause from None


def _held_by(error: Exception) -> str:
    """By whom, where the state's backend tells; Pulumi Cloud does not."""
    who = re.search(r": created by (.+) at \S+$", str(error), re.MULTILINE)
    return f"another update of this stack is running{f' ({who[1]})' if who else ''}"


def asked(stack: Stack) -> list[Asked]:
    """Every resource as the program asks for it now, by a preview, which changes nothing."""
    from pulumi import automation

    found: list[Asked] = []

    def heard(event: automation.EngineEvent) -> None:
        step = event.resource_pre_event
        if step and (new := step.metadata.new) and new.type.startswith("gcp:"):
            name = new.urn.rpartition("::")[2]
            found.append(Asked(new.type, name, new.inputs or {}, bool(new.protect)))

    try:
        _opened(stack).preview(on_event=heard, suppress_progress=True)
    except automation.CommandError as error:
        raise VertuneError(f"Pulumi refused the preview:\n{_why(error)}") from error
    return found


def _opened(stack: Stack) -> Any:
    from pulumi import automation

    engine, environment = _engine(stack)
    try:
        return automation.select_stack(
            stack_name=stack.name,
            work_dir=str(stack.root),
            opts=automation.LocalWorkspaceOptions(env_vars=environment, pulumi_command=engine),
        )
    except automation.StackNotFoundError as error:
        raise _no_such_stack(stack) from error
    except automation.CommandError as error:
        raise VertuneError(f"Pulumi refused:\n{_why(error)}") from error


def _no_such_stack(stack: Stack) -> VertuneError:
    return VertuneError(
        f'Pulumi has no stack "{stack.name}"; make it with `pulumi stack init {stack.name}`,'
        f" then run `pulumi up --stack {stack.name}`"
    )


def _engine(stack: Stack) -> tuple[Any, dict[str, str]]:
    """The engine, and what its environment has beside this process's."""
    from subprocess import CalledProcessError

    from pulumi import automation

    if not stack.simulated and _ELSEWHERE in os.environ:
        raise VertuneError(
            f"{_ELSEWHERE} is set: this shell's Pulumi is pointed at the emulator, and stack"
            f" {stack.name} is on Google Cloud; run `vertune record` in a new shell"
        )
    environment = {**stack.environment, "PATH": _path(stack)}
    if remote.exchanges(stack.endpoint):  # a pipeline acts as itself, not as the emulator's owner
        environment = {key: environment[key] for key in environment if key not in _SIGNED_IN}
    try:
        with _looked_up_on(environment["PATH"]):
            return automation.PulumiCommand(), environment
    except FileNotFoundError as error:
        raise VertuneError(
            "there is no Pulumi engine; `vertune doctor` says how to get it"
        ) from error
    except (automation.InvalidVersionError, CalledProcessError, PermissionError) as error:
        raise VertuneError(
            f"the Pulumi engine on PATH cannot be used: {error}; `vertune doctor` says which it is"
        ) from error


@contextmanager
def _looked_up_on(path: str) -> Iterator[None]:
    """The Automation API asks for the engine's version before the workspace's own PATH counts."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = path
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _path(stack: Stack) -> str:
    """PATH with this Python first, which runs the program, and the clone's own engine last."""
    path = stack.environment.get("PATH") or os.environ.get("PATH", os.defpath)
    engine = stack.root / ".vertune" / "engine" / "bin"
    return os.pathsep.join([str(Path(sys.prefix) / "bin"), path, str(engine)])


def project_name(root: Path) -> str:
    """What Pulumi.yaml calls the project."""
    values = document.values(document.read(root / PROJECT_FILE, PROJECT_FILE))
    return str(values.get("name"))


def _why(error: Exception, count: int = 12) -> str:
    """The engine's last lines; where it knows no state, the way out in their place."""
    if "PULUMI_ACCESS_TOKEN must be set" in str(error):
        return (
            "Pulumi was not told where its state is kept; run `pulumi login`,"
            " docs/pulumi.md has the ways"
        )
    kept = [line for line in str(error).strip().splitlines() if line.strip()]
    return "\n".join(kept[-count:])
