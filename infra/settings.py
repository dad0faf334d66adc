"""Settings: a stack's configuration, typed; every fault is said at once, with what to do."""

import difflib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from infra.github import GitHub
from infra.kinds import BillingAccount, Bucket, Email, Labels, Prices, Project, mapping

_OWN = "vertune:"
_EMULATOR = "VERTUNE_EMULATOR_URL"
_SERVING = {"us-central1": "us", "europe-west4": "eu"}


def _name(key: str) -> str:
    return f"gcp:{key}" if key in ("project", "region") else _OWN + to_camel(key)


class Settings(BaseModel):
    """Read from Pulumi.<stack>.yaml; the runner reads the caps for itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_name)

    project: Project
    region: Literal["us-central1", "europe-west4"]  # where supervised tuning is offered
    bucket: Bucket
    emulator: bool = False
    labels: Labels = Field(default_factory=dict)
    deletion_protection: bool = False
    soft_delete_days: Annotated[int, Field(ge=7, le=90)] = 7  # the service's own limits
    noncurrent_days: Annotated[int, Field(ge=1)] = 30
    serving_location: Literal["us", "eu"] | None = None
    max_usd: Annotated[float, Field(gt=0)] | None = None
    prices: Prices = Field(default_factory=dict)  # US dollars per million training tokens
    max_concurrent_jobs: Annotated[int, Field(ge=1)] = 1
    alert_email: Email | None = None
    billing_account: BillingAccount | None = None
    monthly_usd: Annotated[int, Field(gt=0)] | None = None
    # Without it nobody but people can act for the stack.
    github: Annotated[GitHub, BeforeValidator(mapping)] | None = None

    @property
    def serving(self) -> str:
        """The multi-region that serves tuned models: the one around the region, if none is set."""
        return self.serving_location or _SERVING[self.region]

    @property
    def budgeted(self) -> bool:
        return bool(self.billing_account and self.monthly_usd)

    @property
    def endpoint(self) -> str | None:
        """The emulator's address; None is Google Cloud."""
        return os.environ[_EMULATOR] if self.emulator else None

    def labelled(self, stack: str) -> dict[str, str]:
        """The labels of every resource that can have any."""
        name = re.sub(r"[^a-z0-9_-]", "-", stack.lower())[:63]
        return {**self.labels, "managed-by": "vertune", "stack": name}


def load() -> Settings:
    """The running stack's settings; raises RunError, which Pulumi prints without a traceback."""
    settings, faults = check({**get_config_env(), **CONFIG.get()}, os.environ)
    if settings is None:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise pulumi.RunError(f"Pulumi.{pulumi.get_stack()}.yaml cannot be used:{lines}")
    return settings


def check(
    config: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[Settings | None, list[str]]:
    """The settings, or None and every fault that was found."""
    own = {field.alias: config[field.alias] for field in _fields() if field.alias in config}
    strange = sorted(key for key in config if key.startswith(_OWN) and key not in own)
    faults = [f"{key}: is no setting of this project{_did_you_mean(key)}" for key in strange]
    faults += _misplaced(str(own.get(_name("emulator"), "false")).lower() == "true", environment)
    try:
        settings = Settings.model_validate(own)
    except ValidationError as error:
        return None, faults + [
            _fault(one["loc"], one["type"], one["msg"]) for one in error.errors()
        ]
    return (None if faults else settings), faults


def _fields() -> Any:
    return Settings.model_fields.values()


def _misplaced(emulator: bool, environment: Mapping[str, str]) -> list[str]:
    """A stack of the cloud must never reach the emulator, nor the emulator's stack the cloud."""
    url = environment.get(_EMULATOR)
    if emulator and not url:
        return [
            f"{_name('emulator')}: is true, but {_EMULATOR} is not set:"
            ' run `vertune emulator start`, then `eval "$(vertune emulator env)"`'
        ]
    if url and not emulator:
        return [
            f"{_name('emulator')}: is false, but {_EMULATOR}={url} is set and would send the"
            " stack's calls there: unset it, or select the stack of the emulator"
        ]
    return []


def _did_you_mean(key: str) -> str:
    known = {str(field.alias).partition(":")[2]: str(field.alias) for field in _fields()}
    close = difflib.get_close_matches(key.removeprefix(_OWN), known, n=1)
    return (
        f": did you mean {known[close[0]]}?"
        if close
        else f"; these are: {', '.join(known.values())}"
    )


def _fault(place: tuple[int | str, ...], kind: str, message: str) -> str:
    key, *inner = map(str, place)
    if kind == "missing":
        path = ".".join([key, *inner])
        option = "--path " if inner else ""
        return f"{path}: is missing: set it with `pulumi config set {option}{path} VALUE`"
    where = "".join(f".{part}" for part in inner if part != "[key]")
    message = message.removeprefix("Value error, ")
    return f"{key}{where}: {message[0].lower()}{message[1:]}"
