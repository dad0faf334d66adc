"""Copy, rewrite and compose."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.storage import Blob, Bucket


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    blob = bucket.blob("from/here")
    blob.metadata = {"run": "7"}
    blob.upload_from_string("content", content_type="text/markdown")
    return blob


def test_a_copy_has_body_and_metadata_of_its_source(
    bucket: Bucket, blob: Blob, new_bucket: Callable[[], Bucket]
) -> None:
    copy = bucket.copy_blob(blob, new_bucket(), "to/there")
    assert copy.download_as_bytes() == b"content"
    assert (copy.metadata, copy.content_type) == ({"run": "7"}, "text/markdown")
    assert (copy.md5_hash, copy.crc32c) == (blob.md5_hash, blob.crc32c)


def test_a_copy_outlives_its_source(bucket: Bucket, blob: Blob) -> None:
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    copy = bucket.copy_blob(blob, bucket, "copy")
    blob.delete()
    assert copy.download_as_bytes() == b"content"


def test_a_renamed_object_is_at_its_new_name_only(bucket: Bucket, blob: Blob) -> None:
    bucket.rename_blob(blob, "new")
    assert [found.name for found in bucket.list_blobs()] == ["new"]


def test_a_rewrite_is_done_at_once(bucket: Bucket, blob: Blob) -> None:
    target = bucket.blob("rewritten")
    assert target.rewrite(blob) == (None, 7, 7)
    assert target.download_as_bytes() == b"content"


def test_a_rewrite_may_change_the_storage_class(bucket: Bucket, blob: Blob) -> None:
    blob.update_storage_class("NEARLINE")
    found = bucket.get_blob(blob.name)
    assert found is not None
    assert (found.storage_class, found.metadata) == ("NEARLINE", {"run": "7"})


def test_an_older_generation_can_be_copied_back(bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    first = bucket.blob("v")
    first.upload_from_string("one")
    bucket.blob("v").upload_from_string("two")
    bucket.copy_blob(first, bucket, "v", source_generation=first.generation)
    assert bucket.blob("v").download_as_bytes() == b"one"


def test_a_copy_of_a_missing_object_is_not_found(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        bucket.copy_blob(bucket.blob("missing"), bucket, "copy")


def test_a_copy_into_a_missing_bucket_is_not_found(bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(NotFound):
        bucket.copy_blob(blob, bucket.client.bucket("no-such-bucket"), "copy")


def test_a_composed_object_is_its_sources_in_order(bucket: Bucket) -> None:
    sources = [bucket.blob(name) for name in ("one", "two")]
    for source in sources:
        source.upload_from_string(source.name)
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(sources)
    assert whole.download_as_bytes() == b"onetwo"
    assert (whole.component_count, whole.md5_hash, whole.content_type) == (2, None, "text/plain")
    assert whole.crc32c is not None
    assert google_crc32c.value(b"onetwo") == int.from_bytes(b64decode(whole.crc32c), "big")


def test_composing_counts_all_components(bucket: Bucket, blob: Blob) -> None:
    bucket.blob("two").compose([blob, blob])
    four = bucket.blob("four")
    four.compose([bucket.blob("two"), bucket.blob("two")])
    assert four.component_count == 4
    assert four.download_as_bytes() == b"content" * 4


def test_an_object_may_be_composed_into_itself(bucket: Bucket, blob: Blob) -> None:
    blob.compose([blob, blob])
    assert blob.download_as_bytes() == b"contentcontent"


@pytest.mark.parametrize("count", [0, 33])
def test_a_wrong_number_of_sources_is_refused(bucket: Bucket, blob: Blob, count: int) -> None:
    with pytest.raises(BadRequest):
        bucket.blob("whole").compose([blob] * count)


@pytest.mark.parametrize(
    "junk",
    [
        {"sourceObjects": "all"},
        {"sourceObjects": ["one"]},
        {"sourceObjects": [{"name": "from/here", "generation": "x"}]},
        {"sourceObjects": [{"name": "from/here"}], "destination": 5},
    ],
)
def test_a_compose_of_the_wrong_shape_is_refused(
    url: str, http: requests.Session, bucket: Bucket, blob: Blob, junk: dict[str, Any]
) -> None:
    answer = http.post(f"{url}/storage/v1/b/{bucket.name}/o/whole/compose", json=junk)
    assert answer.status_code == 400
