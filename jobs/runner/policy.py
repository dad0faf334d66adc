"""Policy: what the infrastructure program must never ask for, whoever changed it.

public        a grant to everyone, a bucket without public access prevention
primitive     the roles owner, editor and viewer
key           a key of a service account, which lives until somebody deletes it
stranger      a workload identity provider that takes the tokens of any repository
label         a resource without the labels by which its cost is found
unprotected   production's bucket, if `pulumi destroy` could take it along
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_BUCKET = "gcp:storage/bucket:Bucket"
_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_EVERYONE = {"allUsers", "allAuthenticatedUsers"}
_PRIMITIVE = {"roles/owner", "roles/editor", "roles/viewer"}
_LABELS = ("managed-by", "stack")
_LABELLED = {
    _BUCKET: "labels",
    "gcp:kms/cryptoKey:CryptoKey": "labels",
    "gcp:monitoring/alertPolicy:AlertPolicy": "userLabels",
    "gcp:monitoring/notificationChannel:NotificationChannel": "userLabels",
    "gcp:pubsub/topic:Topic": "labels",
    "gcp:secretmanager/secret:Secret": "labels",
}


@dataclass(frozen=True)
class Asked:
    """A resource as the program asks for it; what the cloud has yet to say is left out."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protected: bool


@dataclass(frozen=True)
class Violation:
    rule: str
    resource: str
    what: str


def check(resources: Iterable[Asked], stack: str) -> list[Violation]:
    """Every violation, in the order of the resources."""
    return [
        Violation(rule, f"{one.type.rpartition(':')[2]} {one.name}", what)
        for one in resources
        for rule, faults in _RULES.items()
        for what in faults(one, stack)
    ]


def _public(one: Asked, stack: str) -> Iterator[str]:
    for member in sorted(_members(one) & _EVERYONE):
        yield f"is granted to {member}"
    if one.type == _BUCKET:
        if one.inputs.get("publicAccessPrevention") != "enforced":
            yield "has no public_access_prevention"
        if one.inputs.get("uniformBucketLevelAccess") is not True:
            yield "has no uniform_bucket_level_access: single objects may be shared"


def _primitive(one: Asked, stack: str) -> Iterator[str]:
    if (role := one.inputs.get("role")) in _PRIMITIVE:
        yield f"grants {role}; name a role that holds what is needed"


def _key(one: Asked, stack: str) -> Iterator[str]:
    if one.type == "gcp:serviceaccount/key:Key" or one.type.endswith(":HmacKey"):
        yield "lives for ever; let a pipeline or person take the account's place instead"


def _stranger(one: Asked, stack: str) -> Iterator[str]:
    if one.type == _PROVIDER and "repository_id" not in str(one.inputs.get("attributeCondition")):
        yield "takes the tokens of any repository; its attribute_condition must name one by number"
    for member in sorted(_members(one)):
        if member.startswith("principalSet://") and member.endswith("/*"):
            yield "is granted to all that a pool lets in"


def _label(one: Asked, stack: str) -> Iterator[str]:
    field = _LABELLED.get(one.type)
    missing = [key for key in _LABELS if field and key not in (one.inputs.get(field) or {})]
    if missing:
        yield f"has no label {' and no '.join(missing)}"


def _unprotected(one: Asked, stack: str) -> Iterator[str]:
    if one.type != _BUCKET or not stack.lower().startswith("prod"):
        return
    if not one.protected:
        yield "is not protected; set vertune:deletionProtection"
    if one.inputs.get("forceDestroy"):
        yield "goes with all that is in it; set vertune:deletionProtection"


_RULES: Mapping[str, Callable[[Asked, str], Iterator[str]]] = {
    "public": _public,
    "primitive": _primitive,
    "key": _key,
    "stranger": _stranger,
    "label": _label,
    "unprotected": _unprotected,
}


def _members(one: Asked) -> set[str]:
    several = one.inputs.get("members")
    members = [one.inputs.get("member"), *(several if isinstance(several, list) else ())]
    return {member for member in members if isinstance(member, str)}
