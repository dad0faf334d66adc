"""Settings: a stack's configuration, typed; every fault is said at once, with what to do."""

import difflib
import json
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from infra.github import GitHub
from infra.kinds import (
    BillingAccount,
    Bucket,
    Email,
    KmsKey,
    Labels,
    Prefix,
    Prices,
    Project,
    Readers,
    mapping,
)

_OWN = "vertune:"
_EMULATOR = "VERTUNE_EMULATOR_URL"
_SERVING = {"us-central1": "us", "europe-west4": "eu"}


def _name(key: str) -> str:
    return f"gcp:{key}" if key in ("project", "region") else _OWN + to_camel(key)


class Settings(BaseModel):
    """Read from Pulumi.<stack>.yaml; the runner reads the caps for itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_name)

    project: Project = Field(description="Whose resources these are; one stack has one of its own")
    region: Literal["us-central1", "europe-west4"] = Field(
        description="Where models are tuned, and where the examples lie"
    )
    bucket: Bucket = Field(description="Of the examples and the ledger; names are taken worldwide")
    emulator: bool = Field(False, description="Whether its services are those of this machine")
    prefix: Prefix = Field(
        "vertune",
        description="How its accounts and roles are named; two stacks in one project differ in it",
    )
    labels: Labels = Field(
        default_factory=dict, description="Of every resource that can have any, for cost reports"
    )
    deletion_protection: bool = Field(
        True, description="Whether `pulumi destroy` is refused, for it would take the ledger along"
    )
    soft_delete_days: Annotated[int, Field(ge=7, le=90)] = Field(
        7, description="How long a deleted object can be restored"
    )
    noncurrent_days: Annotated[int, Field(ge=1)] = Field(
        30, description="How long earlier versions of an object are kept"
    )
    serving_location: Literal["us", "eu"] | None = Field(
        None, description="Where tuned models are served; by default around the region"
    )
    max_usd: Annotated[float, Field(gt=0)] | None = Field(
        None, description="What one apply may cost at most, unless a person allows more"
    )
    promotes_from: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = Field(
        None, description="The stack where a tuning must have passed before it is paid for here"
    )
    ledger_readers: Readers = Field(
        (), description="Accounts of stacks that promote from this one: they may read its ledger"
    )
    prices: Prices = Field(
        default_factory=dict, description="US dollars per million training tokens, by base model"
    )
    max_concurrent_jobs: Annotated[int, Field(ge=1)] = Field(
        1, description="How many tuning jobs run at once; the rest waits for room"
    )
    kms_key: KmsKey | None = Field(
        None,
        description="The customer-managed key of the bucket, and of what is tuned from base models"
        " that take one; in the region, and its owner's",
    )
    alert_email: Email | None = Field(None, description="Who is mailed of refused and denied calls")
    billing_account: BillingAccount | None = Field(
        None, description="With `monthlyUsd`: the account that the budget is of"
    )
    monthly_usd: Annotated[int, Field(gt=0)] | None = Field(
        None,
        description="What a month may cost; with `billingAccount` alerts go by it, too",
    )
    github: Annotated[GitHub, BeforeValidator(mapping)] | None = Field(
        None,
        description="Whose workflows act for the stack: `repositoryId`, `ownerId`, `branch`,"
        " `environment`, `pool`; without it nobody but people do",
    )

    @property
    def serving(self) -> str:
        """The multi-region that serves tuned models: the one around the region, if none is set."""
        return self.serving_location or _SERVING[self.region]

    @field_validator("kms_key")
    @classmethod
    def _near(cls, key: str | None, info: ValidationInfo) -> str | None:
        """The services refuse a key of another location than what it is to encrypt."""
        region = info.data.get("region")
        if key and region and key.split("/")[3] != region:
            raise ValueError(
                f"is in {key.split('/')[3]}, and must be where the bucket is: {region}"
            )
        return key

    def account(self, role: str) -> str:
        """What the account of the tuner, or of the planner, is called."""
        return f"{self.prefix}-{role}"

    def role(self, name: str) -> str:
        """The id of a role of the project's own, which takes no hyphens."""
        return f"{self.prefix.replace('-', '_')}{name}"

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


def table() -> str:
    """As Markdown, a line for each setting."""
    lines = ["| setting | default | says |", "|---|---|---|"]
    for field in _fields():
        default = "must be set" if field.is_required() else _shown(field.default)
        lines.append(f"| `{field.alias}` | {default} | {field.description} |")
    return "\n".join(lines)


def _shown(default: object) -> str:
    return f"`{json.dumps(default)}`" if isinstance(default, bool | int | str) else "none"


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
