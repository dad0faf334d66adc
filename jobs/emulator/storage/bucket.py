"""Bucket: one bucket's resource, what may be set in it, and the rules it lays on its objects."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.storage.resources import (
    API,
    etag_of,
    merge_patch,
    timestamp,
    without_nulls,
)
from jobs.emulator.storage.settings import check_location, completed, location_type

_OUTPUT_ONLY = {
    *("kind", "id", "selfLink", "projectNumber", "etag", "generation", "metageneration"),
    *("timeCreated", "updated", "locationType", "owner", "acl", "defaultObjectAcl"),
}
_FIXED = {"name", "location", "hierarchicalNamespace", "customPlacementConfig"}


@dataclass(frozen=True)
class Rules:
    """What a bucket decides about the objects in it."""

    versioning: bool
    soft_delete_seconds: int
    storage_class: str


@dataclass(frozen=True)
class Bucket:
    name: str
    project: str
    generation: int
    metageneration: int
    resource: Mapping[str, Any]

    @property
    def etag(self) -> str:
        return etag_of(self.metageneration)

    @property
    def rules(self) -> Rules:
        return Rules(
            versioning=bool(self.resource.get("versioning", {}).get("enabled")),
            soft_delete_seconds=int(self.resource["softDeletePolicy"]["retentionDurationSeconds"]),
            storage_class=self.resource["storageClass"],
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": "storage#bucket",
            "id": self.name,
            "selfLink": f"{API}/b/{self.name}",
            "name": self.name,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "etag": self.etag,
            **self.resource,
        }

    def document(self) -> dict[str, Any]:
        return asdict(self)


def new_bucket(name: str, project: str, number: str, now: int, body: Mapping[str, Any]) -> Bucket:
    wanted = without_nulls(_settable(body))
    location = check_location(wanted.get("location", "US"))
    resource = {
        "projectNumber": number,
        "timeCreated": timestamp(now),
        "updated": timestamp(now),
        **wanted,
        "location": location,
        "locationType": location_type(location, wanted),
    }
    resource.pop("name", None)
    return Bucket(name, project, now, 1, completed(resource, {}, now))


def patched(bucket: Bucket, now: int, patch: Mapping[str, Any]) -> Bucket:
    merged = merge_patch(bucket.resource, _changeable(bucket, patch))
    return _next(bucket, merged, now)


def updated(bucket: Bucket, now: int, body: Mapping[str, Any]) -> Bucket:
    """PUT: what the body leaves out goes back to its default."""
    kept = {
        key: value
        for key, value in bucket.resource.items()
        if key in _OUTPUT_ONLY | _FIXED | {"storageClass"}
    }
    return _next(bucket, {**kept, **without_nulls(_changeable(bucket, body))}, now)


def _next(bucket: Bucket, resource: Mapping[str, Any], now: int) -> Bucket:
    stamped = {**resource, "updated": timestamp(now)}
    return replace(
        bucket,
        metageneration=bucket.metageneration + 1,
        resource=completed(stamped, bucket.resource, now),
    )


def _settable(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in _OUTPUT_ONLY}


def _changeable(bucket: Bucket, body: Mapping[str, Any]) -> dict[str, Any]:
    """A client may send back the whole resource, but what is fixed must be as it was."""
    was = {**bucket.resource, "name": bucket.name}
    for key in _FIXED & body.keys():
        same = str(body[key]).upper() == str(was.get(key)).upper()
        if body[key] is not None and not same and body[key] != was.get(key):
            raise invalid(f"The bucket's {key} cannot be changed.")
    return {key: value for key, value in _settable(body).items() if key not in _FIXED}
