"""Buckets, by Google's client and as Google's provider asks for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud.storage import Bucket, Client
from google.cloud.storage.bucket import (
    LifecycleRuleAbortIncompleteMultipartUpload,
    LifecycleRuleDelete,
)

from tests.emulator.storage.serving import PROJECT, connect, serving

NewBucket = Callable[..., Bucket]

_WEEK = 604800


def _furnish(bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.labels = {"team": "search", "env": "dev"}
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.soft_delete_policy.retention_duration_seconds = _WEEK
    bucket.lifecycle_rules = [
        LifecycleRuleDelete(age=30),
        LifecycleRuleAbortIncompleteMultipartUpload(age=7),
    ]


@pytest.fixture
def furnished(client: Client, new_bucket: NewBucket) -> Bucket:
    return client.get_bucket(new_bucket(_furnish).name)


def test_a_new_bucket_has_all_that_a_bucket_has(client: Client, furnished: Bucket) -> None:
    found = furnished._properties
    assert {
        *("id", "kind", "name", "location", "locationType", "timeCreated", "updated"),
        *("metageneration", "etag", "projectNumber", "selfLink", "storageClass"),
    } <= found.keys()
    assert found["projectNumber"] == "123"
    assert found["metageneration"] == "1"


def test_the_links_of_a_bucket_do_not_change_with_the_port(furnished: Bucket) -> None:
    assert furnished.self_link == f"https://www.googleapis.com/storage/v1/b/{furnished.name}"


def test_a_second_bucket_of_the_same_name_is_a_conflict(client: Client, bucket: Bucket) -> None:
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)


def test_a_bucket_keeps_its_versioning(furnished: Bucket) -> None:
    assert furnished.versioning_enabled is True


def test_a_bucket_keeps_its_labels(furnished: Bucket) -> None:
    assert furnished.labels == {"team": "search", "env": "dev"}


def test_a_bucket_keeps_uniform_access(furnished: Bucket) -> None:
    access = furnished.iam_configuration
    assert access.uniform_bucket_level_access_enabled is True
    assert access.uniform_bucket_level_access_locked_time is not None


def test_a_bucket_keeps_public_access_prevention(furnished: Bucket) -> None:
    assert furnished.iam_configuration.public_access_prevention == "enforced"


def test_a_bucket_keeps_its_lifecycle_rules(furnished: Bucket) -> None:
    assert [dict(rule) for rule in furnished.lifecycle_rules] == [
        {"action": {"type": "Delete"}, "condition": {"age": 30}},
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
    ]


def test_a_bucket_keeps_its_soft_delete_policy(furnished: Bucket) -> None:
    assert furnished.soft_delete_policy.retention_duration_seconds == _WEEK
    assert furnished.soft_delete_policy.effective_time is not None


def test_a_bucket_is_where_it_was_made(furnished: Bucket) -> None:
    assert (furnished.location, furnished.location_type) == ("US-CENTRAL1", "region")


def test_a_bucket_made_with_nothing_has_the_services_defaults(client: Client) -> None:
    found = client.create_bucket(f"plain-{id(client)}")
    assert (found.location, found.location_type) == ("US", "multi-region")
    assert found.storage_class == "STANDARD"
    assert found.soft_delete_policy.retention_duration_seconds == _WEEK
    assert found.iam_configuration.public_access_prevention == "inherited"
    assert found.iam_configuration.uniform_bucket_level_access_enabled is False


def test_empty_labels_and_rules_are_left_out(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    body: dict[str, Any] = {"labels": {}, "lifecycle": {"rule": []}}
    found = http.patch(f"{url}/storage/v1/b/{bucket.name}", json=body).json()
    assert not {"labels", "lifecycle"} & found.keys()


def test_a_patched_label_is_kept_and_counted(client: Client, furnished: Bucket) -> None:
    furnished.labels = {"team": "ads", "env": "dev"}
    furnished.patch()
    found = client.get_bucket(furnished.name)
    assert found.labels == {"team": "ads", "env": "dev"}
    assert found.metageneration == 2


def test_a_patch_with_null_removes_one_label(
    url: str, http: requests.Session, client: Client, furnished: Bucket
) -> None:
    http.patch(f"{url}/storage/v1/b/{furnished.name}", json={"labels": {"env": None}})
    assert client.get_bucket(furnished.name).labels == {"team": "search"}


def test_an_update_takes_back_what_it_leaves_out(client: Client, furnished: Bucket) -> None:
    del furnished._properties["labels"]
    furnished.update()
    found = client.get_bucket(furnished.name)
    assert found.labels == {}
    assert found.versioning_enabled is True


def test_versioning_and_lifecycle_can_be_taken_back(client: Client, furnished: Bucket) -> None:
    furnished.versioning_enabled = False
    furnished.clear_lifecycle_rules()
    furnished.patch()
    found = client.get_bucket(furnished.name)
    assert found.versioning_enabled is False
    assert list(found.lifecycle_rules) == []


def test_a_bucket_cannot_move(url: str, http: requests.Session, bucket: Bucket) -> None:
    answer = http.patch(f"{url}/storage/v1/b/{bucket.name}", json={"location": "EU"})
    assert answer.status_code == 400


def test_a_bucket_with_another_metageneration_is_not_patched(bucket: Bucket) -> None:
    bucket.labels = {"team": "ads"}
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=999)


def test_buckets_are_listed_by_project(client: Client, bucket: Bucket) -> None:
    assert bucket.name in [found.name for found in client.list_buckets()]
    assert list(client.list_buckets(project="other")) == []


def test_buckets_are_listed_in_pages(folder: Path) -> None:
    with serving(folder) as url, connect(url) as client:
        for name in ("one", "two", "three"):
            client.create_bucket(name)
        pages = [[found.name for found in page] for page in client.list_buckets(page_size=2).pages]
    assert pages == [["one", "three"], ["two"]]


def test_a_missing_bucket_is_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        client.get_bucket("no-such-bucket")


def test_a_bucket_with_an_object_is_not_deleted(bucket: Bucket) -> None:
    bucket.blob("here").upload_from_string("x")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()


def test_a_bucket_with_a_noncurrent_object_is_not_deleted(new_bucket: NewBucket) -> None:
    bucket = new_bucket(_furnish)
    bucket.blob("gone").upload_from_string("x")
    bucket.blob("gone").delete()
    with pytest.raises(Conflict):
        bucket.delete()


def test_a_deleted_bucket_is_gone(client: Client, bucket: Bucket) -> None:
    bucket.delete()
    assert client.lookup_bucket(bucket.name) is None


def test_a_bucket_made_again_starts_empty(client: Client, bucket: Bucket) -> None:
    bucket.blob("old").upload_from_string("x")
    bucket.delete(force=True)
    bucket.create()
    assert list(bucket.list_blobs(versions=True)) == []
    assert list(bucket.list_blobs(soft_deleted=True)) == []


def test_anywhere_caches_are_none(url: str, http: requests.Session, bucket: Bucket) -> None:
    answer = http.get(f"{url}/storage/v1/b/{bucket.name}/anywhereCaches/?alt=json")
    assert answer.json() == {"kind": "storage#anywhereCaches"}


def test_the_project_has_a_storage_service_account(client: Client) -> None:
    email = client.get_service_account_email()
    assert email == "service-123@gs-project-accounts.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    "name",
    [
        *("", "ab", "Upper", "under_score_", "-dash", "a..b", "10.0.0.1", "goog-mine", "a" * 64),
        *("..", "../../etc", "nul\0byte", "my-google-bucket", "sp ace", "\ud800", 7, None, ["x"]),
    ],
)
def test_a_bucket_of_a_bad_name_is_refused(url: str, http: requests.Session, name: Any) -> None:
    answer = http.post(f"{url}/storage/v1/b?project={PROJECT}", json={"name": name})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "junk",
    [
        {"labels": {"Upper": "x"}},
        {"labels": {"k": "UPPER"}},
        {"labels": {"k": 1}},
        {"labels": ["k"]},
        {"lifecycle": {"rule": [{"action": {"type": "Explode"}, "condition": {"age": 1}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "Delete"}}]}},
        {"lifecycle": {"rule": "all"}},
        {"lifecycle": 3},
        {"storageClass": "WARM"},
        {"location": "no where"},
        {"location": 5},
        {"softDeletePolicy": {"retentionDurationSeconds": "60"}},
        {"softDeletePolicy": "never"},
        {"iamConfiguration": {"publicAccessPrevention": "maybe"}},
        {"iamConfiguration": "open"},
        {"iamConfiguration": {"uniformBucketLevelAccess": "yes"}},
        {"versioning": True},
    ],
)
def test_a_bucket_of_bad_settings_is_refused(
    url: str, http: requests.Session, junk: dict[str, Any]
) -> None:
    body = {"name": "would-be-fine", **junk}
    assert http.post(f"{url}/storage/v1/b?project={PROJECT}", json=body).status_code == 400


def test_a_bucket_needs_a_known_project(client: Client) -> None:
    with pytest.raises(BadRequest):
        client.create_bucket("homeless-bucket", project="unknown")
