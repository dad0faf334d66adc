"""A bucket's IAM policy."""

from typing import Any

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Bucket, Client

_VIEWER = "roles/storage.objectViewer"
_MEMBER = "user:ann@example.com"


def _bind(bucket: Bucket, **more: Any) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.version = 3
    policy.bindings = [*policy.bindings, {"role": _VIEWER, "members": {_MEMBER}, **more}]
    bucket.set_iam_policy(policy)


def _bound(bucket: Bucket) -> list[dict[str, Any]]:
    bindings = bucket.get_iam_policy(requested_policy_version=3).bindings
    return [binding for binding in bindings if binding["role"] == _VIEWER]


def test_a_new_bucket_is_its_projects(bucket: Bucket) -> None:
    bindings = bucket.get_iam_policy(requested_policy_version=3).bindings
    owners = {member for each in bindings for member in each["members"]}
    assert owners == {"projectOwner:demo", "projectEditor:demo", "projectViewer:demo"}


def test_a_binding_is_shown_afterwards(bucket: Bucket) -> None:
    _bind(bucket)
    assert _bound(bucket) == [{"role": _VIEWER, "members": {_MEMBER}}]


def test_a_condition_comes_back(bucket: Bucket) -> None:
    condition = {"title": "runs", "expression": "resource.name.startsWith('runs/')"}
    _bind(bucket, condition=condition)
    assert _bound(bucket)[0]["condition"] == condition
    assert bucket.get_iam_policy(requested_policy_version=3).version == 3


def test_a_policy_read_before_another_wrote_is_refused(bucket: Bucket) -> None:
    stale = bucket.get_iam_policy(requested_policy_version=3)
    _bind(bucket)
    with pytest.raises(PreconditionFailed):
        bucket.set_iam_policy(stale)
    assert _bound(bucket)


def test_a_policy_without_an_etag_empties_the_bindings(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    _bind(bucket)
    answer = http.put(f"{url}/storage/v1/b/{bucket.name}/iam", json={"version": 1})
    assert answer.ok
    assert "bindings" not in http.get(f"{url}/storage/v1/b/{bucket.name}/iam").json()


def test_every_write_gives_another_etag(bucket: Bucket) -> None:
    etags = set()
    for _ in range(3):
        _bind(bucket)
        etags.add(bucket.get_iam_policy().etag)
    assert len(etags) == 3


def test_a_service_account_that_does_not_exist_is_not_bound(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    member = "serviceAccount:ghost@demo.iam.gserviceaccount.com"
    body = {"bindings": [{"role": _VIEWER, "members": [member]}]}
    answer = http.put(f"{url}/storage/v1/b/{bucket.name}/iam", json=body)
    assert answer.status_code == 400
    assert "does not exist" in answer.json()["error"]["message"]


def test_permissions_are_tested(bucket: Bucket) -> None:
    asked = ["storage.objects.get", "storage.objects.list"]
    assert bucket.test_iam_permissions(asked) == asked


def test_the_policy_of_a_missing_bucket_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.bucket("no-such-bucket").get_iam_policy()


def test_a_bucket_made_again_does_not_inherit_the_policy(bucket: Bucket) -> None:
    _bind(bucket)
    bucket.delete()
    bucket.create()
    assert _bound(bucket) == []


@pytest.mark.parametrize(
    "junk",
    [
        {"bindings": "all"},
        {"bindings": [1]},
        {"bindings": [{"members": [_MEMBER]}]},
        {"bindings": [{"role": "viewer", "members": [_MEMBER]}]},
        {"bindings": [{"role": _VIEWER, "members": _MEMBER}]},
        {"bindings": [{"role": _VIEWER, "members": ["ann"]}]},
        {"bindings": [{"role": _VIEWER, "members": [7]}]},
        {"bindings": [{"role": _VIEWER, "members": [_MEMBER], "condition": {"title": "x"}}]},
    ],
)
def test_a_policy_of_the_wrong_shape_is_refused(
    url: str, http: requests.Session, bucket: Bucket, junk: dict[str, Any]
) -> None:
    answer = http.put(f"{url}/storage/v1/b/{bucket.name}/iam", json={"version": 1, **junk})
    assert answer.status_code == 400
