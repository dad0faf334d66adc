"""Fields of a bucket: the provider's property names, and where the storage API has them."""

from typing import Any

from jobs.emulator.provider.client import Values

_CONDITIONS = {
    "age": "age",
    "createdBefore": "createdBefore",
    "customTimeBefore": "customTimeBefore",
    "daysSinceCustomTime": "daysSinceCustomTime",
    "daysSinceNoncurrentTime": "daysSinceNoncurrentTime",
    "matchesPrefixes": "matchesPrefix",
    "matchesStorageClasses": "matchesStorageClass",
    "matchesSuffixes": "matchesSuffix",
    "noncurrentTimeBefore": "noncurrentTimeBefore",
    "numNewerVersions": "numNewerVersions",
}
_PLAIN = ("name", "location", "labels", "storageClass", "versioning")
_STATES = {"LIVE": True, "ARCHIVED": False}


def to_api(inputs: Values) -> dict[str, Any]:
    """The body that asks for the inputs."""
    body = {name: inputs[name] for name in _PLAIN if inputs.get(name) is not None}
    access: Values = {}
    if inputs.get("uniformBucketLevelAccess") is not None:
        access["uniformBucketLevelAccess"] = {"enabled": inputs["uniformBucketLevelAccess"]}
    if inputs.get("publicAccessPrevention"):
        access["publicAccessPrevention"] = inputs["publicAccessPrevention"]
    if access:
        body["iamConfiguration"] = access
    if policy := inputs.get("softDeletePolicy"):
        seconds = str(policy["retentionDurationSeconds"])
        body["softDeletePolicy"] = {"retentionDurationSeconds": seconds}
    if rules := inputs.get("lifecycleRules"):
        body["lifecycle"] = {"rule": [_rule_to_api(rule) for rule in rules]}
    if encryption := inputs.get("encryption"):
        body["encryption"] = encryption
    return body


def from_api(bucket: Values) -> Values:
    access = bucket.get("iamConfiguration", {})
    properties = {
        "name": bucket["name"],
        "location": bucket["location"],
        "storageClass": bucket.get("storageClass"),
        "uniformBucketLevelAccess": access.get("uniformBucketLevelAccess", {}).get("enabled"),
        "publicAccessPrevention": access.get("publicAccessPrevention"),
        "versioning": bucket.get("versioning") or {"enabled": False},
        "encryption": bucket.get("encryption"),
        "lifecycleRules": [
            _rule_from_api(rule) for rule in bucket.get("lifecycle", {}).get("rule", [])
        ],
        "projectNumber": int(bucket["projectNumber"]),
        "selfLink": bucket["selfLink"],
        "url": f"gs://{bucket['name']}",
        "timeCreated": bucket["timeCreated"],
        "updated": bucket["updated"],
    }
    if policy := bucket.get("softDeletePolicy"):
        seconds = int(policy["retentionDurationSeconds"])
        properties["softDeletePolicy"] = {"retentionDurationSeconds": seconds}
    return {name: value for name, value in properties.items() if value is not None}


def unserved_conditions(inputs: Values) -> list[str]:
    """Lifecycle conditions that have no place in the body; what is unknown yet is let through."""
    rules = inputs.get("lifecycleRules")
    conditions = [
        rule.get("condition")
        for rule in (rules if isinstance(rules, list) else [])
        if isinstance(rule, dict)
    ]
    served = {*_CONDITIONS, "withState"}
    return sorted({name for one in conditions if isinstance(one, dict) for name in one} - served)


def _rule_to_api(rule: Values) -> Values:
    condition = dict(rule.get("condition") or {})
    state = condition.pop("withState", None)
    asked = {_CONDITIONS[name]: value for name, value in condition.items()}
    if state in _STATES:
        asked["isLive"] = _STATES[state]
    return {"action": rule["action"], "condition": asked}


def _rule_from_api(rule: Values) -> Values:
    names = {api: name for name, api in _CONDITIONS.items()}
    condition = {names[key]: value for key, value in rule["condition"].items() if key in names}
    live = rule["condition"].get("isLive")
    states = [state for state, is_live in _STATES.items() if is_live is live]
    if states:
        condition["withState"] = states[0]
    return {"action": rule["action"], "condition": condition}
