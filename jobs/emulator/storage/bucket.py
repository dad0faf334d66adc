"""Bucket: one bucket's resource, what may be set in it, and the rules it lays on its objects."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.storage.resources import (
    API,
    check_strings,
    etag_of,
    merge_patch,
    timestamp,
    without_nulls,
)

_OUTPUT_ONLY = {
    *("kind", "id", "selfLink", "projectNumber", "etag", "generation", "metageneration"),
    *("timeCreated", "updated", "locationType", "owner", "acl", "defaultObjectAcl"),
}
_FIXED = {"name", "location", "hierarchicalNamespace", "customPlacementConfig"}
_LEFT_OUT_IF_EMPTY = ("labels", "lifecycle", "cors")
_WEEK, _QUARTER = 7 * 86400, 90 * 86400
_MULTI_REGIONS, _DUAL_REGIONS = {"US", "EU", "ASIA"}, {"NAM4", "EUR4", "EUR5", "EUR7", "ASIA1"}
_CLASSES = {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"}
_LEGACY_CLASSES = {"MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY"}


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
    location = _location(wanted.get("location", "US"))
    resource = {
        "projectNumber": number,
        "timeCreated": timestamp(now),
        "updated": timestamp(now),
        **wanted,
        "location": location,
        "locationType": _location_type(location, wanted),
    }
    resource.pop("name", None)
    return Bucket(name, project, now, 1, _completed(resource, {}, now))


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
        resource=_completed(stamped, bucket.resource, now),
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


def _completed(resource: Mapping[str, Any], before: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Checked and with the service's defaults."""
    full = dict(resource)
    full["storageClass"] = _storage_class(full.get("storageClass", "STANDARD"))
    full["iamConfiguration"] = _iam_configuration(full.get("iamConfiguration", {}), before, now)
    full["softDeletePolicy"] = _soft_delete(full.get("softDeletePolicy", {}), before, now)
    _check_labels(full.get("labels", {}))
    _check_lifecycle(full.get("lifecycle", {}))
    for key in _LEFT_OUT_IF_EMPTY:
        if full.get(key) in ({}, [], {"rule": []}):
            del full[key]
    return full


def _location(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{2,40}", value):
        raise invalid("The specified location constraint is not valid.")
    return value.upper()


def _location_type(location: str, wanted: Mapping[str, Any]) -> str:
    if location in _DUAL_REGIONS or "customPlacementConfig" in wanted:
        return "dual-region"
    return "multi-region" if location in _MULTI_REGIONS else "region"


def _storage_class(value: object) -> str:
    if value not in _CLASSES | _LEGACY_CLASSES:
        raise invalid(f"Invalid storage class: {value}")
    return str(value)


def _iam_configuration(wanted: Any, before: Mapping[str, Any], now: int) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        raise invalid("Invalid value for iamConfiguration.")
    prevention = wanted.get("publicAccessPrevention", "inherited")
    if prevention == "unspecified":  # the older word, which clients still send
        prevention = "inherited"
    if prevention not in ("inherited", "enforced"):
        raise invalid(f"Invalid value for publicAccessPrevention: '{prevention}'")
    uniform = wanted.get("uniformBucketLevelAccess") or wanted.get("bucketPolicyOnly") or {}
    access: dict[str, Any] = {"enabled": bool(uniform.get("enabled"))}
    if access["enabled"]:
        was = before.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
        access["lockedTime"] = was.get("lockedTime") or timestamp(now + _QUARTER * 1_000_000)
    return {
        **wanted,
        "publicAccessPrevention": prevention,
        "uniformBucketLevelAccess": access,
        "bucketPolicyOnly": access,
    }


def _soft_delete(wanted: Any, before: Mapping[str, Any], now: int) -> dict[str, Any]:
    seconds = str((wanted or {}).get("retentionDurationSeconds", _WEEK))
    if not re.fullmatch(r"\d{1,9}", seconds) or not (
        int(seconds) == 0 or _WEEK <= int(seconds) <= _QUARTER
    ):
        raise invalid("Soft delete retention duration must be 0 or between 7 and 90 days.")
    was = before.get("softDeletePolicy", {})
    changed = was.get("retentionDurationSeconds") != seconds
    effective = timestamp(now) if changed else was["effectiveTime"]
    return {"retentionDurationSeconds": seconds, "effectiveTime": effective}


def _check_labels(labels: object) -> None:
    check_strings("labels", labels)
    assert isinstance(labels, dict)
    if len(labels) > 64:
        raise invalid("A bucket can have at most 64 labels.")
    for key, value in labels.items():
        if not key or not key[0].isalpha() or not _is_label(key):
            raise invalid(f"Invalid label key: '{key}'")
        if not _is_label(value):
            raise invalid(f"Invalid label value: '{value}'")


def _is_label(word: str) -> bool:
    plain = all(char.isalnum() or char in "_-" for char in word)
    return len(word) <= 63 and word == word.lower() and plain


def _check_lifecycle(lifecycle: Any) -> None:
    rules = lifecycle.get("rule", []) if isinstance(lifecycle, dict) else None
    if not isinstance(rules, list):
        raise invalid("Invalid value for lifecycle: a list of rules is expected.")
    for rule in rules:
        action = rule.get("action", {}) if isinstance(rule, dict) else {}
        if not isinstance(action, dict) or action.get("type") not in (
            *("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"),
        ):
            raise invalid("A lifecycle rule must specify an action.")
        if not isinstance(rule.get("condition"), dict) or not rule["condition"]:
            raise invalid("A lifecycle rule must specify at least one condition.")
