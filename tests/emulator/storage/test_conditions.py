"""Preconditions: on every call that has them, checked together with the write."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Blob, Bucket

from tests.emulator.storage.serving import connect

_CLIENTS = 16


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    blob = bucket.blob("held")
    blob.upload_from_string("first")
    return blob


def test_create_only_does_not_overwrite(bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.blob("held").upload_from_string("second", if_generation_match=0)
    assert blob.download_as_bytes() == b"first"


def test_create_only_does_not_overwrite_by_pieces(bucket: Bucket, blob: Blob) -> None:
    held = bucket.blob("held", chunk_size=256 << 10)
    with pytest.raises(PreconditionFailed):
        held.upload_from_file(BytesIO(bytes(600_000)), if_generation_match=0)
    assert blob.download_as_bytes() == b"first"


def test_create_only_creates(bucket: Bucket) -> None:
    bucket.blob("new").upload_from_string("x", if_generation_match=0)
    assert bucket.blob("new").exists()


def test_an_upload_over_another_generation_is_refused(blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string("second", if_generation_match=1)


def test_an_upload_over_the_right_generation_is_stored(bucket: Bucket, blob: Blob) -> None:
    bucket.blob("held").upload_from_string("second", if_generation_match=blob.generation)
    assert bucket.blob("held").download_as_bytes() == b"second"


def test_an_upload_over_an_excluded_generation_is_refused(bucket: Bucket, blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.blob("held").upload_from_string("x", if_generation_not_match=blob.generation)


def test_overwrite_only_does_not_create(bucket: Bucket) -> None:
    with pytest.raises(PreconditionFailed):
        bucket.blob("new").upload_from_string("x", if_generation_not_match=0)


@pytest.mark.parametrize(
    "refused",
    [
        lambda blob: blob.delete(if_generation_match=1),
        lambda blob: blob.delete(if_metageneration_match=999),
        lambda blob: blob.patch(if_metageneration_match=999),
        lambda blob: blob.patch(if_generation_match=1),
        lambda blob: blob.update(if_metageneration_match=999),
        lambda blob: blob.reload(if_metageneration_match=999),
        lambda blob: blob.reload(if_etag_match="another"),
        lambda blob: blob.download_as_bytes(if_generation_match=1),
        lambda blob: blob.bucket.copy_blob(blob, blob.bucket, "held", if_generation_match=0),
        lambda blob: blob.bucket.copy_blob(blob, blob.bucket, "c", if_source_generation_match=1),
        lambda blob: blob.rewrite(blob, if_generation_match=0),
        lambda blob: blob.rewrite(blob, if_source_metageneration_match=999),
        lambda blob: blob.compose([blob], if_generation_match=0),
        lambda blob: blob.bucket.blob("c").compose([blob], if_source_generation_match=[1]),
    ],
)
def test_a_call_whose_condition_fails_changes_nothing(
    bucket: Bucket, blob: Blob, refused: Callable[[Blob], object]
) -> None:
    with pytest.raises(PreconditionFailed):
        refused(blob)
    (left,) = bucket.list_blobs()
    assert (left.name, left.generation, left.metageneration) == ("held", blob.generation, 1)


def test_conditions_on_a_missing_object_leave_it_missing(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        bucket.blob("missing").delete(if_generation_match=5)


@pytest.mark.parametrize("value", ["one", "1.5", "9" * 19])
def test_a_condition_that_is_no_number_is_refused(
    url: str, http: requests.Session, bucket: Bucket, value: str
) -> None:
    address = f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=x"
    answer = http.post(f"{address}&ifGenerationMatch={value}", data=b"x")
    assert answer.status_code == 400


def test_of_sixteen_clients_that_create_at_once_one_wins(url: str, bucket: Bucket) -> None:
    start = Barrier(_CLIENTS)

    def create(number: int) -> bool:
        with connect(url) as client:
            blob = client.bucket(bucket.name).blob("lock")
            start.wait(timeout=60)
            try:
                blob.upload_from_string(f"{number}", if_generation_match=0)
            except PreconditionFailed:
                return False
            return True

    with ThreadPoolExecutor(_CLIENTS) as pool:
        won = list(pool.map(create, range(_CLIENTS)))
    assert won.count(True) == 1
    assert bucket.blob("lock").download_as_bytes() == f"{won.index(True)}".encode()


def test_no_increment_of_sixteen_clients_is_lost(url: str, bucket: Bucket) -> None:
    """Read, add one, write back if nobody else did: what the ledger does."""
    bucket.blob("counter").upload_from_string("0")

    def increment(_: int) -> None:
        with connect(url) as client:
            while True:
                blob = client.bucket(bucket.name).get_blob("counter")
                assert blob is not None
                try:
                    count = int(blob.download_as_bytes(if_generation_match=blob.generation))
                    blob.upload_from_string(f"{count + 1}", if_generation_match=blob.generation)
                except (PreconditionFailed, NotFound):
                    continue
                return

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(increment, range(_CLIENTS)))
    assert bucket.blob("counter").download_as_bytes() == b"16"
