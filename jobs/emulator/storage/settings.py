"""Settings: what the owner of a bucket may say of it, checked, and the service's defaults."""

import re
from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import invalid
from jobs.emulator.storage.resources import check_strings, timestamp

_OBJECTS = (
    *("autoclass", "billing", "customPlacementConfig", "encryption", "hierarchicalNamespace"),
    *("iamConfiguration", "labels", "lifecycle", "logging", "objectRetention"),
    *("retentionPolicy", "softDeletePolicy", "versioning", "website"),
)
_LEFT_OUT_IF_EMPTY = ("labels", "lifecycle", "cors")
_WEEK, _QUARTER = 7 * 86400, 90 * 86400
_MULTI_REGIONS, _DUAL_REGIONS = {"US", "EU", "ASIA"}, {"NAM4", "EUR4", "EUR5", "EUR7", "ASIA1"}
_CLASSES = {
    *("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"),
    *("MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY"),  # of older buckets
}
_ACTIONS = ("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload")


def completed(resource: Mapping[str, Any], before: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Checked and with the service's defaults."""
    full = dict(resource)
    for key in _OBJECTS:
        _object(key, full.get(key, {}))
    _flag("versioning", full.get("versioning", {}))
    full["storageClass"] = check_storage_class(full.get("storageClass", "STANDARD"))
    full["iamConfiguration"] = _iam_configuration(full.get("iamConfiguration", {}), before, now)
    full["softDeletePolicy"] = _soft_delete(full.get("softDeletePolicy", {}), before, now)
    _check_labels(full.get("labels", {}))
    _check_lifecycle(full.get("lifecycle", {}))
    for key in _LEFT_OUT_IF_EMPTY:
        if full.get(key) in ({}, [], {"rule": []}):
            del full[key]
    return full


def check_storage_class(value: object) -> str:
    if not isinstance(value, str) or value not in _CLASSES:
        raise invalid(f"Invalid storage class: {value}")
    return value


def _iam_configuration(
    wanted: Mapping[str, Any], before: Mapping[str, Any], now: int
) -> dict[str, Any]:
    prevention = wanted.get("publicAccessPrevention", "inherited")
    if prevention == "unspecified":  # the older word, which clients still send
        prevention = "inherited"
    if prevention not in ("inherited", "enforced"):
        raise invalid(f"Invalid value for publicAccessPrevention: '{prevention}'")
    access = _uniform_access(wanted, before.get("iamConfiguration", {}), now)
    names = ("uniformBucketLevelAccess", "bucketPolicyOnly")  # the second is the older name
    return {**wanted, "publicAccessPrevention": prevention, **dict.fromkeys(names, access)}


def _uniform_access(
    wanted: Mapping[str, Any], before: Mapping[str, Any], now: int
) -> dict[str, Any]:
    """Once on it can be turned off until its locked time, which does not move."""
    given = wanted.get("uniformBucketLevelAccess") or wanted.get("bucketPolicyOnly") or {}
    if not _flag("uniformBucketLevelAccess", given):
        return {"enabled": False}
    was = before.get("uniformBucketLevelAccess", {})
    locked = was.get("lockedTime") or timestamp(now + _QUARTER * 1_000_000)
    return {"enabled": True, "lockedTime": locked}


def _soft_delete(wanted: Mapping[str, Any], before: Mapping[str, Any], now: int) -> dict[str, Any]:
    seconds = str(wanted.get("retentionDurationSeconds", _WEEK))
    if not re.fullmatch(r"[0-9]{1,9}", seconds) or not (
        int(seconds) == 0 or _WEEK <= int(seconds) <= _QUARTER
    ):
        raise invalid("Soft delete retention duration must be 0 or between 7 and 90 days.")
    was = before.get("softDeletePolicy", {})
    changed = was.get("retentionDurationSeconds") != seconds
    effective = timestamp(now) if changed else was["effectiveTime"]
    return {"retentionDurationSeconds": seconds, "effectiveTime": effective}


# https://cloud.google.com/storage/docs/tags-and-labels#bucket-labels
def _check_labels(labels: Mapping[str, Any]) -> None:
    check_strings("labels", labels)
    if len(labels) > 64:
        raise invalid("A bucket can have at most 64 labels.")
    for key, value in labels.items():
        if not key[:1].isalpha() or not _is_label(key):
            raise invalid(f"Invalid label key: '{key}'")
        if not _is_label(value):
            raise invalid(f"Invalid label value: '{value}'")


def _is_label(word: str) -> bool:
    plain = all(char.isalnum() or char in "_-" for char in word)
    return len(word) <= 63 and word == word.lower() and plain


def _check_lifecycle(lifecycle: Mapping[str, Any]) -> None:
    rules = lifecycle.get("rule", [])
    if not isinstance(rules, list):
        raise invalid("Invalid value for lifecycle: a list of rules is expected.")
    for rule in rules:
        action = _object("action", _object("rule", rule).get("action"))
        if action.get("type") not in _ACTIONS:
            raise invalid("A lifecycle rule must specify an action.")
        if not _object("condition", rule.get("condition")):
            raise invalid("A lifecycle rule must specify at least one condition.")


def _object(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"Invalid value for {name}: an object is expected.")
    return value


def _flag(name: str, value: object) -> bool:
    enabled = _object(name, value).get("enabled", False)
    if not isinstance(enabled, bool):
        raise invalid(f"Invalid value for {name}: enabled is true or false.")
    return enabled


def check_location(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9-]{2,40}", value):
        raise invalid("The specified location constraint is not valid.")
    return value.upper()


def location_type(location: str, wanted: Mapping[str, Any]) -> str:
    if location in _DUAL_REGIONS or "customPlacementConfig" in wanted:
        return "dual-region"
    return "multi-region" if location in _MULTI_REGIONS else "region"
