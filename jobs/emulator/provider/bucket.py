"""Bucket: a Cloud Storage bucket."""

from collections.abc import Iterable
from typing import Any, ClassVar

from jobs.emulator.provider.bucket_fields import from_api, to_api, unserved_conditions
from jobs.emulator.provider.client import Client, Refused, Values, segment
from jobs.emulator.provider.protocol import UNKNOWN
from jobs.emulator.provider.resource import Input, Resource, project_of

_OWN = "goog-"  # labels that the provider or the service put there
_CLEARED: Values = {"lifecycle": {"rule": []}}  # everything else is cleared by null


class Bucket(Resource):
    token = "gcp:storage/bucket:Bucket"
    inputs: ClassVar = {
        "name": Input(required=True, replaces=True),
        "location": Input(required=True, replaces=True, any_case=True),
        "project": Input(replaces=True, filled=True),
        "labels": Input(),
        "forceDestroy": Input(local=True),
        "uniformBucketLevelAccess": Input(filled=True),
        "publicAccessPrevention": Input(filled=True),
        "storageClass": Input(filled=True),
        "versioning": Input(filled=True),
        "softDeletePolicy": Input(filled=True),
        "lifecycleRules": Input(),
        "encryption": Input(),
    }
    outputs = frozenset(
        {"project", "selfLink", "url", "projectNumber", "timeCreated", "updated", "storageClass",
         "uniformBucketLevelAccess", "publicAccessPrevention", "softDeletePolicy", "versioning"}
    )  # fmt: skip
    changing = frozenset({"updated"})
    naming = frozenset({"name"})

    def check(self, inputs: Values) -> Iterable[tuple[str, str]]:
        yield from super().check(inputs)
        for name in unserved_conditions(inputs):
            yield "lifecycleRules", f"the emulator's provider does not serve the condition {name!r}"

    def foresee(self, client: Client, inputs: Values) -> Values:
        known = {"project": project_of(client, inputs), "url": f"gs://{inputs['name']}"}
        labels = inputs.get("labels") or {}
        if labels == UNKNOWN:
            return known | {"pulumiLabels": UNKNOWN, "effectiveLabels": UNKNOWN}
        return known | {"pulumiLabels": labels, "effectiveLabels": {**labels, **client.labels}}

    def create(self, client: Client, inputs: Values) -> str:
        body = to_api(inputs)
        body["labels"] = body.get("labels", {}) | client.labels
        made = client.call("POST", "/storage/v1/b", body, {"project": project_of(client, inputs)})
        return str(made["id"])

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        name = id.rpartition("/")[2]
        bucket = client.find(_path(name))
        if bucket is None:
            return None
        observed = from_api(bucket)
        own = known.get("labels")
        # Labels somebody else put there are theirs; an import takes over those it finds.
        kept = {
            key: value
            for key, value in bucket.get("labels", {}).items()
            if (key in own if own is not None else not key.startswith(_OWN))
        }
        observed |= {"labels": kept, "pulumiLabels": kept}
        observed["effectiveLabels"] = bucket.get("labels", {})
        observed["project"] = known.get("project") or client.project
        return name, observed

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        before, after = to_api(old), to_api(new)
        body: dict[str, Any] = {
            key: after.get(key, _CLEARED.get(key))
            for key in before.keys() | after.keys()
            if before.get(key) != after.get(key) and (key in after or not _filled(key))
        }
        if "labels" in body:
            gone = dict.fromkeys(before.get("labels", {}).keys() - after.get("labels", {}).keys())
            body["labels"] = after.get("labels", {}) | client.labels | gone
        if body:
            client.call("PATCH", _path(id), body)

    def delete(self, client: Client, id: str, state: Values) -> None:
        try:
            if state.get("forceDestroy"):
                self._empty(client, id)
            client.remove(_path(id))
        except Refused as refused:
            if refused.status == 409:
                raise Refused(
                    409, f"bucket {id} holds objects and has no forceDestroy: {refused.message}"
                ) from None
            if refused.status != 404:
                raise

    def _empty(self, client: Client, id: str) -> None:
        """Listed anew until nothing is left, so no page token outlives what it points at."""
        while True:
            listing = client.call("GET", f"{_path(id)}/o", query={"versions": "true"})
            objects = listing.get("items", [])
            for one in objects:
                path = f"{_path(id)}/o/{segment(one['name'])}"
                client.remove(path, {"generation": one["generation"]})
            if not objects:
                return


def _path(name: str) -> str:
    return f"/storage/v1/b/{segment(name)}"


def _filled(key: str) -> bool:
    """Whether a field of the API stays as it is where the inputs no longer name it."""
    return key in ("iamConfiguration", "storageClass", "versioning", "softDeletePolicy")
