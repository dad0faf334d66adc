"""Grants: which account holds which role where, and for which calls: all that there is.

The tables of the README and of docs/grants.md are made of this, and a test takes each one away to
see what fails without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.settings import Settings

_READS = {
    "storage.objects.get": "`plan`, `status`, `apply`: an entry of the ledger",
    "storage.objects.list": "`plan`, `status`, `apply`: all that is recorded",
}

_REFRESHED = {
    "resourcemanager.projects.get": "the project",
    "resourcemanager.projects.getIamPolicy": "who may what in it",
    "serviceusage.services.list": "the APIs that are on",
    "storage.buckets.get": "the bucket",
    "storage.buckets.getIamPolicy": "who may what in it",
    "iam.roles.get": "the roles of ours",
    "iam.serviceAccounts.get": "the accounts",
    "iam.serviceAccounts.getIamPolicy": "who may act as them",
    "iam.workloadIdentityPools.get": "the pool",
    "iam.workloadIdentityPoolProviders.get": "whose tokens it takes",
    "monitoring.alertPolicies.get": "the alerts",
    "monitoring.notificationChannels.get": "whom they tell",
}


# https://cloud.google.com/storage/docs/access-control/iam#conditions
_LISTED = "api.getAttribute('storage.googleapis.com/objectListPrefix', '')"


@dataclass(frozen=True)
class Grant:
    """`calls` says of each permission in use what needs it."""

    name: str
    # tuner, planner; agents of Vertex AI and of storage; a reader: another stack's account
    account: str
    role: str
    calls: Mapping[str, str]
    if_set: str = ""  # the setting without which it is not made
    on_key: bool = False  # on the key alone that this setting names
    only: tuple[str, ...] = ()  # starts of names in the bucket, if the role counts there only

    @property
    def custom(self) -> bool:
        """Whether the role is one of ours: the predefined ones hold far more than is needed."""
        return not self.role.startswith("roles/")

    @property
    def in_bucket(self) -> bool:
        return self.role.startswith("roles/storage.")

    def condition(self, bucket: str) -> str:
        """Under which it counts, if `only` says where; a list is about the bucket, not objects."""
        objects = f"projects/_/buckets/{bucket}/objects"
        parts = [f"resource.name.startsWith('{objects}/{start}')" for start in self.only]
        if "storage.objects.list" in self.calls:
            parts += [f"{_LISTED}.startsWith('{start}')" for start in self.only]
        return " || ".join(parts)


GRANTS = (
    Grant(
        "tuner-vertex",
        "tuner",
        "Tuner",
        {
            "aiplatform.tuningJobs.create": "`apply`: submits a job",
            "aiplatform.tuningJobs.get": "`apply`, `cancel`: waits for it",
            "aiplatform.tuningJobs.list": "`apply`, `cancel`: looks for one that was begun before",
            "aiplatform.tuningJobs.cancel": "`cancel`; `apply`: the second of two jobs",
            "aiplatform.models.get": "`apply`, `promote`, `rollback`: is a tuned model still there",
            "aiplatform.models.update": "`apply`, `promote`, `rollback`: moves the alias",
            "aiplatform.endpoints.get": "`apply --retry`: looks whether an endpoint is still there",
            "aiplatform.endpoints.predict": "`apply`, `evaluate`, `predict`, `plan --exact`",
        },
    ),
    Grant(
        "tuner-copies",
        "tuner",
        "Copier",
        {
            "aiplatform.models.upload": "`apply`: copies a tuned model (`promotion: copy`)",
            "aiplatform.endpoints.create": "`apply`: makes the copy an endpoint",
            "aiplatform.endpoints.deploy": "`apply`: deploys the copy to it",
        },
        if_set="promotesFrom",
    ),
    Grant(
        "tuner-reads",
        "tuner",
        "roles/storage.objectViewer",
        {**_READS, "storage.objects.get": "every command: an entry, or examples that are there"},
    ),
    Grant(
        "tuner-uploads",
        "tuner",
        "roles/storage.objectCreator",
        {"storage.objects.create": "`apply`: uploads examples, says whose bucket it is; for good"},
        only=("datasets/", "owner.json"),
    ),
    Grant(
        "tuner-ledger",
        "tuner",
        "roles/storage.objectUser",
        {
            "storage.objects.create": "every command that acts: writes an entry, outputs, a plan",
            "storage.objects.delete": "every command that acts: writes over them, forgets one",
            "storage.objects.update": "`apply`: notes that the alias has followed",
        },
        only=("ledger/", "claims/", "outputs.json", "approved.json"),
    ),
    Grant("planner-reads", "planner", "roles/storage.objectViewer", _READS),
    Grant(
        "planner-vertex",
        "planner",
        "Planner",
        {
            "aiplatform.tuningJobs.list": "`drift`, `status --live`: the jobs there are",
            "aiplatform.tuningJobs.get": "`drift`, `status --live`: one that no list has",
            "aiplatform.models.list": "`drift`: the tuned models there are",
            "aiplatform.models.get": "`drift`, `plan --retry`: one that no list has",
            "aiplatform.endpoints.list": "`drift`: the endpoints there are",
            "aiplatform.endpoints.get": "`drift`, `plan --retry`: one that no list has",
            **{name: f"`pulumi preview --refresh`: {what}" for name, what in _REFRESHED.items()},
        },
    ),
    Grant(
        "agent-reads",
        "agent",
        "roles/storage.objectViewer",
        {
            "storage.objects.get": "Vertex AI: reads the examples of a job",
            "storage.objects.list": "Vertex AI: finds them",
        },
    ),
    Grant(
        "reader-ledger",
        "reader",
        "roles/storage.objectViewer",
        {
            "storage.objects.get": "`apply` of a stack that promotes from this one: an entry",
            "storage.objects.list": "`plan`, `apply` there, `compare`: what has passed here",
        },
        only=("ledger/",),
    ),
    Grant(
        "storage-key",
        "storage",
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        {
            "cloudkms.cryptoKeyVersions.useToEncrypt": "Cloud Storage: encrypts what is written",
            "cloudkms.cryptoKeyVersions.useToDecrypt": "Cloud Storage: reads it",
        },
        if_set="kmsKey",
        on_key=True,
    ),
    Grant(
        "agent-key",
        "agent",
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        {
            "cloudkms.cryptoKeyVersions.useToEncrypt": "Vertex AI: encrypts a tuned model",
            "cloudkms.cryptoKeyVersions.useToDecrypt": "Vertex AI: serves it",
        },
        if_set="kmsKey",
        on_key=True,
    ),
    Grant(
        "planner-key",
        "planner",
        "roles/iam.securityReviewer",
        {"cloudkms.cryptoKeys.getIamPolicy": "`pulumi preview --refresh`: who may use the key"},
        if_set="kmsKey",
        on_key=True,
    ),
    Grant(
        "tuner-key",
        "tuner",
        "KeyUser",
        {"resourcemanager.projects.get": "`record`: the program asks for the agent of storage"},
        if_set="kmsKey",
    ),
)


def granted(settings: Settings) -> list[Grant]:
    """Those that the settings of a stack call for."""
    set_ = {
        key.partition(":")[2] for key, value in settings.model_dump(by_alias=True).items() if value
    }
    return [grant for grant in GRANTS if grant.if_set in ("", *set_)]


def table() -> str:
    """As Markdown, a line for each call, with what needs it."""
    lines = ["| account | role | where | permission | needed by |", "|---|---|---|---|---|"]
    for grant in GRANTS:
        lines += [
            f"| {_held(grant)} | `{permission}` | {who} |"
            for permission, who in grant.calls.items()
        ]
    return "\n".join(lines)


def summary() -> str:
    """As Markdown, a line for each role of an account."""
    lines = ["| account | role | where | calls |", "|---|---|---|---|"]
    lines += [f"| {_held(grant)} | {_calls(grant.calls)} |" for grant in GRANTS]
    return "\n".join(lines)


def _held(grant: Grant) -> str:
    role = f"vertune{grant.role} (own)" if grant.custom else grant.role
    where = "key" if grant.on_key else "bucket" if grant.in_bucket else "project"
    where += f", if `vertune:{grant.if_set}` is set" if grant.if_set else ""
    where += f", only {', '.join(f'`{one}`' for one in grant.only)}" if grant.only else ""
    return f"`{grant.account}` | `{role}` | {where}"


def _calls(permissions: Iterable[str]) -> str:
    """Grouped by what they are about: tuningJobs create, get; models get."""
    groups: dict[str, list[str]] = {}
    for permission in permissions:
        _, thing, verb = permission.split(".")
        groups.setdefault(thing, []).append(verb)
    return "; ".join(f"{thing} {', '.join(verbs)}" for thing, verbs in groups.items())
