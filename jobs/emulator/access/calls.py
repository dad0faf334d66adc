"""Calls: the permissions that each call of the emulator needs, by its route.

Of every address the version is left out: `v1` and `v1beta1` of a service need the same.
https://cloud.google.com/iam/docs/permissions-reference
https://cloud.google.com/storage/docs/access-control/iam-json
"""

from collections.abc import Mapping

from jobs.emulator.access.resources import unversioned
from jobs.emulator.wire import Route

Permissions = tuple[str, ...]

OPEN: Permissions = ()  # whoever calls, or the handler asks by itself what stands in the body

_METHODS = ("create", "list", "get", "update", "delete")


def needed(route: Route) -> Permissions | None:
    """None for a route that nobody has entered here: it is the owner's alone."""
    return of(entry(route))


def of(entry: str) -> Permissions | None:
    return _CALLS.get(entry)


def permissions() -> set[str]:
    """All that any call may need."""
    return {one for each in _CALLS.values() for one in each} | {
        *ASKED_BY_HANDLERS,
        *ASKED_OF_AGENTS,
    }


def entries() -> set[str]:
    return {*_CALLS}


def entry(route: Route) -> str:
    return f"{route.method} {unversioned(route.pattern)}"


# Where an object is made its name may stand in the body, and whether it is there decides.
ASKED_BY_HANDLERS = ("storage.objects.create", "storage.objects.delete")
# Of a service's own agent, whoever calls the service.
ASKED_OF_AGENTS = tuple(
    f"cloudkms.cryptoKeyVersions.useTo{what}" for what in ("Encrypt", "Decrypt")
)


def _rest(collection: str, one: str, kind: str) -> dict[str, Permissions]:
    """The five standard methods of a collection."""
    calls = (f"POST {collection}", f"GET {collection}", f"GET {one}", f"PATCH {one}")
    named = zip((*calls, f"DELETE {one}"), _METHODS, strict=True)
    return {call: (f"{kind}.{method}",) for call, method in named}


_BUCKET = "/storage/v1/b/{bucket}"
_OBJECT = f"{_BUCKET}/o/{{object}}"
_UPLOAD = "/upload/storage/v1/b/{bucket}/o"
_XML = "/{bucket}/{object*}"
_PROJECT = "/projects/{project}"
_ACCOUNT = f"{_PROJECT}/serviceAccounts/{{account}}"
_SERVICE = f"{_PROJECT}/services"
_POOLS = f"{_PROJECT}/locations/global/workloadIdentityPools"
_PLACE = f"{_PROJECT}/locations/{{location}}"
_ROLE = f"{_PROJECT}/roles/{{role}}"

_STORAGE: Mapping[str, Permissions] = {
    "POST /storage/v1/b": ("storage.buckets.create",),
    "GET /storage/v1/b": ("storage.buckets.list",),
    f"GET {_BUCKET}": ("storage.buckets.get",),
    f"PATCH {_BUCKET}": ("storage.buckets.update",),
    f"PUT {_BUCKET}": ("storage.buckets.update",),
    f"DELETE {_BUCKET}": ("storage.buckets.delete",),
    f"GET {_BUCKET}/anywhereCaches": ("storage.anywhereCaches.list",),
    f"GET {_BUCKET}/anywhereCaches/": ("storage.anywhereCaches.list",),
    "GET /storage/v1/projects/{project}/serviceAccount": ("resourcemanager.projects.get",),
    f"GET {_BUCKET}/iam": ("storage.buckets.getIamPolicy",),
    f"PUT {_BUCKET}/iam": ("storage.buckets.setIamPolicy",),
    f"GET {_BUCKET}/iam/testPermissions": OPEN,  # says which of the asked ones the caller has
    f"GET {_BUCKET}/o": ("storage.objects.list",),
    f"GET {_OBJECT}": ("storage.objects.get",),
    f"GET /download{_OBJECT}": ("storage.objects.get",),
    f"PATCH {_OBJECT}": ("storage.objects.update",),
    f"PUT {_OBJECT}": ("storage.objects.update",),
    f"DELETE {_OBJECT}": ("storage.objects.delete",),
    f"POST {_OBJECT}/restore": ("storage.objects.create", "storage.objects.restore"),
    f"POST {_OBJECT}/copyTo/b/{{to_bucket}}/o/{{to_object}}": ("storage.objects.get",),
    f"POST {_OBJECT}/rewriteTo/b/{{to_bucket}}/o/{{to_object}}": ("storage.objects.get",),
    f"POST {_OBJECT}/compose": ("storage.objects.get",),
    "POST /batch/storage/v1": OPEN,  # each call in it is asked for by itself
    f"POST {_UPLOAD}": OPEN,
    f"PUT {_UPLOAD}": OPEN,
    f"DELETE {_UPLOAD}": OPEN,  # who has the session's address may end it
    f"GET {_XML}": ("storage.objects.get",),
    f"PUT {_XML}": OPEN,
    f"POST {_XML}": ("storage.multipartUploads.create",),
    f"DELETE {_XML}": ("storage.multipartUploads.abort",),
}

_IAM: Mapping[str, Permissions] = {
    **_rest(f"{_PROJECT}/serviceAccounts", _ACCOUNT, "iam.serviceAccounts"),
    f"POST {_ACCOUNT}:getIamPolicy": ("iam.serviceAccounts.getIamPolicy",),
    f"POST {_ACCOUNT}:setIamPolicy": ("iam.serviceAccounts.setIamPolicy",),
    f"POST {_ACCOUNT}:enable": ("iam.serviceAccounts.enable",),
    f"POST {_ACCOUNT}:disable": ("iam.serviceAccounts.disable",),
    f"POST {_ACCOUNT}:generateAccessToken": ("iam.serviceAccounts.getAccessToken",),
    **_rest(f"{_PROJECT}/roles", _ROLE, "iam.roles"),
    f"POST {_ROLE}:undelete": ("iam.roles.undelete",),
    **_rest(_POOLS, f"{_POOLS}/{{pool}}", "iam.workloadIdentityPools"),
    f"GET {_POOLS}/{{pool}}:listAttestationRules": ("iam.workloadIdentityPools.get",),
    **_rest(
        f"{_POOLS}/{{pool}}/providers",
        f"{_POOLS}/{{pool}}/providers/{{provider}}",
        "iam.workloadIdentityPoolProviders",
    ),
    f"GET {_POOLS}/{{parent*}}/operations/{{id}}": ("iam.workloadIdentityPools.get",),
}

_VERTEX: Mapping[str, Permissions] = {
    f"POST {_PLACE}/tuningJobs": ("aiplatform.tuningJobs.create",),
    f"GET {_PLACE}/tuningJobs": ("aiplatform.tuningJobs.list",),
    f"GET {_PLACE}/tuningJobs/{{id}}": ("aiplatform.tuningJobs.get",),
    f"GET /emulator/v1{_PLACE}/tuningJobs/{{id}}:metrics": ("aiplatform.tuningJobs.get",),
    f"POST {_PLACE}/tuningJobs/{{id}}:cancel": ("aiplatform.tuningJobs.cancel",),
    f"POST {_PLACE}/models:copy": ("aiplatform.models.upload",),
    f"GET {_PLACE}/models": ("aiplatform.models.list",),
    f"GET {_PLACE}/models/{{id}}": ("aiplatform.models.get",),
    f"GET {_PLACE}/models/{{id}}:listVersions": ("aiplatform.models.list",),
    f"GET {_PLACE}/models/{{id}}:listCheckpoints": ("aiplatform.models.get",),
    f"POST {_PLACE}/models/{{id}}:mergeVersionAliases": ("aiplatform.models.update",),
    f"PATCH {_PLACE}/models/{{id}}": ("aiplatform.models.update",),
    f"DELETE {_PLACE}/models/{{id}}": ("aiplatform.models.delete",),
    f"DELETE {_PLACE}/models/{{id}}:deleteVersion": ("aiplatform.models.delete",),
    **_rest(f"{_PLACE}/endpoints", f"{_PLACE}/endpoints/{{id}}", "aiplatform.endpoints"),
    f"POST {_PLACE}/endpoints/{{id}}:deployModel": ("aiplatform.endpoints.deploy",),
    f"POST {_PLACE}/endpoints/{{id}}:undeployModel": ("aiplatform.endpoints.undeploy",),
    **{
        f"POST {_PLACE}/{source}/{{id}}:{verb}": ("aiplatform.endpoints.predict",)
        for source in ("endpoints", "publishers/google/models")
        for verb in ("generateContent", "streamGenerateContent", "countTokens")
    },
    f"POST {_PLACE}/models/{{id}}:generateContent": ("aiplatform.endpoints.predict",),
    # Of no project. That anything but an identity is needed is not documented.
    "GET /publishers/google/models": OPEN,
    "GET /publishers/google/models/{id}": OPEN,
    f"GET {_PLACE}/operations/{{id}}": OPEN,  # who began it knows its name
}

_BILLING = "/billingAccounts/{billing}"

_GUARDRAILS: Mapping[str, Permissions] = {
    f"GET {_BILLING}:getIamPolicy": ("billing.accounts.getIamPolicy",),
    f"POST {_BILLING}:setIamPolicy": ("billing.accounts.setIamPolicy",),
    **_rest(f"{_BILLING}/budgets", f"{_BILLING}/budgets/{{id}}", "billing.budgets"),
    **{
        call: permissions
        for kind in ("notificationChannels", "alertPolicies")
        for call, permissions in _rest(
            f"{_PROJECT}/{kind}", f"{_PROJECT}/{kind}/{{id}}", f"monitoring.{kind}"
        ).items()
    },
}

_RINGS = f"{_PLACE}/keyRings"
_KEYS = f"{_RINGS}/{{ring}}/cryptoKeys"

_KMS: Mapping[str, Permissions] = {
    f"POST {_RINGS}": ("cloudkms.keyRings.create",),
    f"GET {_RINGS}/{{ring}}": ("cloudkms.keyRings.get",),
    f"POST {_KEYS}": ("cloudkms.cryptoKeys.create",),
    f"GET {_KEYS}/{{key}}": ("cloudkms.cryptoKeys.get",),
    f"GET {_KEYS}/{{key}}:getIamPolicy": ("cloudkms.cryptoKeys.getIamPolicy",),
    f"POST {_KEYS}/{{key}}:setIamPolicy": ("cloudkms.cryptoKeys.setIamPolicy",),
}

_CALLS: Mapping[str, Permissions] = {
    "GET /": OPEN,
    "POST /token": OPEN,  # who has no token yet comes here (the version, if any, is left out)
    "GET /operations/{id}": OPEN,  # who began it knows its name
    f"GET {_PROJECT}": ("resourcemanager.projects.get",),
    f"GET {_PROJECT}/billingInfo": ("resourcemanager.projects.get",),
    f"PUT {_PROJECT}/billingInfo": ("resourcemanager.projects.createBillingAssignment",),
    f"POST {_PROJECT}:getIamPolicy": ("resourcemanager.projects.getIamPolicy",),
    f"POST {_PROJECT}:setIamPolicy": ("resourcemanager.projects.setIamPolicy",),
    f"GET {_SERVICE}": ("serviceusage.services.list",),
    f"GET {_SERVICE}/{{service}}": ("serviceusage.services.get",),
    f"POST {_SERVICE}:batchEnable": ("serviceusage.services.enable",),
    f"POST {_SERVICE}/{{service}}:enable": ("serviceusage.services.enable",),
    f"POST {_SERVICE}/{{service}}:disable": ("serviceusage.services.disable",),
    f"POST {_SERVICE}/{{service}}:generateServiceIdentity": ("serviceusage.services.enable",),
    **_STORAGE,
    **_IAM,
    **_VERTEX,
    **_GUARDRAILS,
    **_KMS,
}
