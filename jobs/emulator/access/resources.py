"""Resource: what a call is about, as policies, conditions and refusals name it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from jobs.emulator.wire import Request

_TYPES = {
    "projects": "cloudresourcemanager.googleapis.com/Project",
    "serviceAccounts": "iam.googleapis.com/ServiceAccount",
    "tuningJobs": "aiplatform.googleapis.com/TuningJob",
    "models": "aiplatform.googleapis.com/Model",
    "cryptoKeys": "cloudkms.googleapis.com/CryptoKey",
    "endpoints": "aiplatform.googleapis.com/Endpoint",
}
_BILLING = "billingAccounts/"
# https://cloud.google.com/iam/docs/conditions-attribute-reference#api-attributes
_LISTED = "storage.googleapis.com/objectListPrefix"
_VERSION = re.compile(r"^/(v\d(beta\d)?|ui)/")


@dataclass(frozen=True)
class Resource:
    name: str
    type: str = ""
    bucket: str | None = None
    project: str | None = None  # of what is in no bucket: the id or number in its name
    attributes: Mapping[str, str] = field(default_factory=dict)  # of the call, for conditions


def unversioned(path: str) -> str:
    """A path as it is in each version of its service."""
    return _VERSION.sub("/", path)


def a_bucket(name: str) -> Resource:
    return Resource(f"projects/_/buckets/{name}", "storage.googleapis.com/Bucket", name)


def a_list(bucket: str, prefix: str) -> Resource:
    """The bucket as a list of its objects is about it: conditions can tell the list's prefix."""
    return replace(a_bucket(bucket), attributes={_LISTED: prefix})


def an_object(bucket: str, name: str) -> Resource:
    address = f"projects/_/buckets/{bucket}/objects/{name}"
    return Resource(address, "storage.googleapis.com/Object", bucket)


def of(request: Request) -> Resource:
    """By its address; a collection stands for what it is a collection of."""
    params = request.params
    if "billing" in params:
        return Resource(f"{_BILLING}{params['billing']}", "billing.googleapis.com/Account")
    if "bucket" in params:
        name = params.get("object")
        if name is not None:
            return an_object(params["bucket"], name)
        if request.path.endswith("/o"):
            return a_list(params["bucket"], request.first("prefix") or "")
        return a_bucket(params["bucket"])
    if "project" not in params:  # a new bucket and a list of buckets say it in the query
        project = request.first("project") or ""
        return Resource(f"projects/{project}", _TYPES["projects"], project=project)
    parts = unquote(unversioned(request.path)).split("/")
    parts[-1] = parts[-1].rpartition(":")[0] or parts[-1]
    parts = parts[parts.index("projects") :]
    parts = parts[: len(parts) // 2 * 2]
    project = params["project"]
    if project == "-":  # whatever project: an account's name tells its own
        project = params.get("account", "").partition("@")[2].partition(".")[0]
    return Resource("/".join(parts), _TYPES.get(parts[-2], ""), project=project)
