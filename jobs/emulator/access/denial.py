"""Denial: the refusal of a caller who lacks a permission, in the words of the service it is of."""

from collections.abc import Mapping

from jobs.emulator.access.resources import Resource
from jobs.emulator.errors import ApiError

_HOSTS: Mapping[str, str] = {
    "resourcemanager": "cloudresourcemanager",
    "billing": "billingbudgets",
}
_STORED = {"storage.googleapis.com/Object": "object", "storage.googleapis.com/Bucket": "bucket"}


def denied(caller: str, permission: str, resource: Resource) -> ApiError:
    service = permission.partition(".")[0]
    if service == "storage":
        return _of_storage(caller, permission, resource)
    host = f"{_HOSTS.get(service, service)}.googleapis.com"
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": host,
        "metadata": {"permission": permission, "resource": resource.name},
    }
    return ApiError(
        403,
        f"Permission '{permission}' denied on resource '//{host}/{resource.name}'"
        " (or it may not exist).",
        "forbidden",
        "PERMISSION_DENIED",
        [info],
    )


def _of_storage(caller: str, permission: str, resource: Resource) -> ApiError:
    """The only service that says who was refused."""
    kind = _STORED.get(resource.type)
    what = f"the Google Cloud Storage {kind}" if kind else "the Google Cloud project"
    return ApiError(
        403,
        f"{caller} does not have {permission} access to {what}."
        f" Permission '{permission}' denied on resource (or it may not exist).",
        "forbidden",
    )
