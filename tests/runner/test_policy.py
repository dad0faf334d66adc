"""Policy: what must never be is found, and nothing else."""

from typing import Any

import pytest

from jobs.runner.policy import Asked, check

BUCKET = "gcp:storage/bucket:Bucket"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
LABELS = {"managed-by": "vertune", "stack": "prod"}
GOOD: dict[str, Any] = {
    "publicAccessPrevention": "enforced",
    "uniformBucketLevelAccess": True,
    "labels": LABELS,
}


def broken(type: str, inputs: dict[str, Any], stack: str = "prod", protected: bool = True) -> Any:
    return [(one.rule, one.what) for one in check([Asked(type, "x", inputs, protected)], stack)]


def test_a_good_bucket_breaks_no_rule() -> None:
    assert broken(BUCKET, GOOD) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"publicAccessPrevention": "inherited"}, "public"),
        ({"uniformBucketLevelAccess": False}, "public"),
        ({"labels": {"stack": "prod"}}, "label"),
        ({"labels": None}, "label"),
        ({"forceDestroy": True}, "unprotected"),
    ],
)
def test_a_bucket_breaks_the_rule_it_breaks(change: dict[str, Any], rule: str) -> None:
    assert [one for one, _ in broken(BUCKET, GOOD | change)] == [rule]


def test_only_productions_bucket_must_be_protected() -> None:
    assert [rule for rule, _ in broken(BUCKET, GOOD, "production", protected=False)] == [
        "unprotected"
    ]
    assert broken(BUCKET, GOOD | {"forceDestroy": True}, "dev", protected=False) == []


@pytest.mark.parametrize(
    ("type", "inputs", "rule"),
    [
        (MEMBER, {"role": "roles/storage.objectViewer", "member": "allUsers"}, "public"),
        (
            "gcp:storage/bucketIAMBinding:BucketIAMBinding",
            {"role": "roles/storage.objectViewer", "members": ["user:a", "allAuthenticatedUsers"]},
            "public",
        ),
        (MEMBER, {"role": "roles/editor", "member": "user:ann@example.com"}, "primitive"),
        ("gcp:serviceaccount/key:Key", {"serviceAccountId": "x"}, "key"),
        ("gcp:storage/hmacKey:HmacKey", {"serviceAccountEmail": "x"}, "key"),
        (PROVIDER, {"attributeCondition": "assertion.repository == 'o/r'"}, "stranger"),
        (PROVIDER, {}, "stranger"),
        (MEMBER, {"role": "roles/x.y", "member": "principalSet://a/b/*"}, "stranger"),
        ("gcp:monitoring/alertPolicy:AlertPolicy", {"userLabels": {}}, "label"),
    ],
)
def test_what_must_never_be_is_found(type: str, inputs: dict[str, Any], rule: str) -> None:
    assert [one for one, _ in broken(type, inputs)] == [rule]


@pytest.mark.parametrize(
    ("type", "inputs"),
    [
        (MEMBER, {"role": "roles/storage.objectViewer", "member": "serviceAccount:a@b"}),
        (PROVIDER, {"attributeCondition": "assertion.repository_id == '1'"}),
        ("gcp:serviceaccount/account:Account", {"accountId": "x"}),
    ],
)
def test_what_is_allowed_is_left_alone(type: str, inputs: dict[str, Any]) -> None:
    assert broken(type, inputs) == []
