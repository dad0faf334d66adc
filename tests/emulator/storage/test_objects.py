"""Objects: metadata, deletion, versions, and what comes back after deletion."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.storage import Blob, Bucket

NewBucket = Callable[..., Bucket]


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    blob = bucket.blob("a/b.txt")
    blob.metadata = {"keep": "me", "change": "me"}
    blob.upload_from_string("text", content_type="text/plain")
    return blob


@pytest.fixture
def versioned(new_bucket: NewBucket) -> Bucket:
    def prepare(bucket: Bucket) -> None:
        bucket.versioning_enabled = True

    return new_bucket(prepare)


@pytest.fixture
def fleeting(new_bucket: NewBucket) -> Bucket:
    def prepare(bucket: Bucket) -> None:
        bucket.soft_delete_policy.retention_duration_seconds = 0

    return new_bucket(prepare)


def test_metadata_is_patched_key_by_key(bucket: Bucket, blob: Blob) -> None:
    blob.metadata = {"keep": "me", "change": "done", "new": "too"}
    blob.patch()
    found = bucket.get_blob(blob.name)
    assert found is not None
    assert found.metadata == {"keep": "me", "change": "done", "new": "too"}
    assert (found.metageneration, found.generation) == (2, blob.generation)
    assert found.content_type == "text/plain"


def test_a_null_removes_a_key_of_the_metadata(bucket: Bucket, blob: Blob) -> None:
    blob.metadata = {"keep": "me", "change": None}
    blob.patch()
    found = bucket.get_blob(blob.name)
    assert found is not None
    assert found.metadata == {"keep": "me"}


def test_an_update_replaces_all_metadata(bucket: Bucket, blob: Blob) -> None:
    blob._properties.pop("metadata")
    blob.cache_control = "no-store"
    blob.update()
    found = bucket.get_blob(blob.name)
    assert found is not None
    assert (found.metadata, found.cache_control, found.size) == (None, "no-store", 4)


@pytest.mark.parametrize("junk", [{"metadata": {"k": 1}}, {"metadata": "x"}, {"contentType": 5}])
def test_metadata_of_the_wrong_shape_is_refused(
    url: str, http: requests.Session, bucket: Bucket, blob: Blob, junk: dict[str, Any]
) -> None:
    address = f"{url}/storage/v1/b/{bucket.name}/o/a%2Fb.txt"
    assert http.patch(address, json=junk).status_code == 400
    assert http.patch(address, data=b"{nonsense").status_code == 400


def test_what_the_service_computes_cannot_be_patched(
    url: str, http: requests.Session, bucket: Bucket, blob: Blob
) -> None:
    address = f"{url}/storage/v1/b/{bucket.name}/o/a%2Fb.txt"
    assert http.patch(address, json={"size": "0", "generation": "1", "crc32c": "x"}).ok
    assert blob.download_as_bytes() == b"text"


def test_a_deleted_object_is_gone(bucket: Bucket, blob: Blob) -> None:
    blob.delete()
    assert not blob.exists()
    with pytest.raises(NotFound):
        blob.delete()


def test_a_held_object_is_neither_deleted_nor_overwritten(bucket: Bucket, blob: Blob) -> None:
    blob.temporary_hold = True
    blob.patch()
    with pytest.raises(Forbidden):
        blob.delete()
    with pytest.raises(Forbidden):
        bucket.blob(blob.name).upload_from_string("other")
    blob.temporary_hold = False
    blob.patch()
    blob.delete()


def test_generations_only_grow(bucket: Bucket) -> None:
    generations = []
    for _ in range(5):
        blob = bucket.blob("same")
        blob.upload_from_string("x")
        generations.append(blob.generation)
    assert generations == sorted(set(generations))


def test_without_versioning_an_overwritten_generation_is_gone(bucket: Bucket, blob: Blob) -> None:
    first = blob.generation
    bucket.blob(blob.name).upload_from_string("second")
    assert len(list(bucket.list_blobs(versions=True))) == 1
    with pytest.raises(NotFound):
        bucket.blob(blob.name, generation=first).download_as_bytes()


def test_with_versioning_an_overwritten_generation_can_be_read(versioned: Bucket) -> None:
    first = versioned.blob("v")
    first.upload_from_string("one")
    versioned.blob("v").upload_from_string("two")
    assert len(list(versioned.list_blobs(versions=True))) == 2
    assert versioned.blob("v", generation=first.generation).download_as_bytes() == b"one"
    assert versioned.blob("v").download_as_bytes() == b"two"


def test_with_versioning_a_deleted_object_can_be_read_by_generation(versioned: Bucket) -> None:
    blob = versioned.blob("v")
    blob.upload_from_string("one")
    versioned.blob("v").delete()
    assert not versioned.blob("v").exists()
    (left,) = versioned.list_blobs(versions=True)
    assert left.time_deleted is not None
    assert versioned.blob("v", generation=blob.generation).download_as_bytes() == b"one"


def test_a_generation_deleted_by_number_is_gone_for_good(versioned: Bucket) -> None:
    blob = versioned.blob("v")
    blob.upload_from_string("one")
    versioned.blob("v", generation=blob.generation).delete()
    assert list(versioned.list_blobs(versions=True)) == []


def test_a_soft_deleted_object_can_be_restored(bucket: Bucket, blob: Blob) -> None:
    blob.delete()
    (deleted,) = bucket.list_blobs(soft_deleted=True)
    assert deleted.hard_delete_time is not None
    restored = bucket.restore_blob(blob.name, generation=deleted.generation)
    assert restored.generation > deleted.generation
    assert bucket.blob(blob.name).download_as_bytes() == b"text"
    assert list(bucket.list_blobs(soft_deleted=True)) == []


def test_without_soft_deletion_nothing_can_be_restored(fleeting: Bucket) -> None:
    blob = fleeting.blob("x")
    blob.upload_from_string("x")
    blob.delete()
    assert list(fleeting.list_blobs(soft_deleted=True)) == []
    with pytest.raises(NotFound):
        fleeting.restore_blob("x", generation=blob.generation)


@pytest.mark.parametrize("generation", ["x", "1" * 30, "9" * 19, "-9" + "9" * 18])
def test_a_generation_that_is_no_number_is_refused(
    url: str, http: requests.Session, bucket: Bucket, generation: str
) -> None:
    answer = http.get(f"{url}/storage/v1/b/{bucket.name}/o/x?generation={generation}")
    assert answer.status_code == 400
