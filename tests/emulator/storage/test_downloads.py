"""Downloads: whole, in part, by generation, and what their headers say."""

import gzip
from pathlib import Path

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Blob, Bucket

_DATA = bytes(range(256)) * 4


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    blob = bucket.blob("data.bin")
    blob.upload_from_string(_DATA)
    return blob


def _address(url: str, blob: Blob) -> str:
    return f"{url}/download/storage/v1/b/{blob.bucket.name}/o/{blob.name}?alt=media"


def test_a_range_is_exactly_its_bytes(blob: Blob) -> None:
    assert blob.download_as_bytes(start=100, end=199) == _DATA[100:200]


@pytest.mark.parametrize(
    ("asked", "given", "content"),
    [
        ("bytes=0-0", "bytes 0-0/1024", _DATA[:1]),
        ("bytes=1000-", "bytes 1000-1023/1024", _DATA[1000:]),
        ("bytes=1000-5000", "bytes 1000-1023/1024", _DATA[1000:]),
        ("bytes=-24", "bytes 1000-1023/1024", _DATA[1000:]),
        ("bytes=-5000", None, _DATA),
        ("bytes=5-2", None, _DATA),
        ("lines=1-2", None, _DATA),
    ],
)
def test_a_range_says_where_it_is(
    url: str, http: requests.Session, blob: Blob, asked: str, given: str | None, content: bytes
) -> None:
    answer = http.get(_address(url, blob), headers={"Range": asked})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (
        206 if given else 200,
        given,
    )
    assert answer.content == content


def test_a_range_beyond_the_end_is_refused(url: str, http: requests.Session, blob: Blob) -> None:
    answer = http.get(_address(url, blob), headers={"Range": "bytes=1024-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */1024")


def test_a_file_is_downloaded_and_its_checksum_compared(blob: Blob, tmp_path: Path) -> None:
    blob.download_to_filename(str(tmp_path / "data"), checksum="crc32c")
    assert (tmp_path / "data").read_bytes() == _DATA


def test_the_headers_say_what_the_object_is(url: str, http: requests.Session, blob: Blob) -> None:
    headers = http.get(_address(url, blob)).headers
    assert headers["x-goog-hash"] == f"crc32c={blob.crc32c},md5={blob.md5_hash}"
    assert headers["x-goog-generation"] == str(blob.generation)
    assert headers["x-goog-metageneration"] == "1"
    assert headers["x-goog-stored-content-length"] == "1024"
    assert headers["x-goog-stored-content-encoding"] == "identity"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["ETag"] == f'"{blob.etag}"'


def test_no_stored_header_can_break_the_answer(
    url: str, http: requests.Session, blob: Blob
) -> None:
    blob.cache_control, blob.content_disposition = "no\r\nX-Evil: yes", "attachment; ü=日本"
    blob.patch()
    answer = http.get(_address(url, blob))
    assert answer.content == _DATA
    assert "X-Evil" not in answer.headers


def test_a_compressed_body_travels_as_it_is_stored(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    blob, zipped = bucket.blob("zipped"), gzip.compress(b"plain")
    blob.content_encoding = "gzip"
    blob.upload_from_string(zipped, content_type="text/plain")
    assert blob.download_as_bytes() == b"plain"
    assert blob.download_as_bytes(raw_download=True) == zipped


def test_a_head_has_the_length_and_no_body(url: str, http: requests.Session, blob: Blob) -> None:
    answer = http.head(_address(url, blob))
    assert (answer.headers["Content-Length"], answer.content) == ("1024", b"")


def test_a_missing_object_is_not_found(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        bucket.blob("missing").download_as_bytes()


def test_a_download_of_another_generation_is_refused(blob: Blob) -> None:
    with pytest.raises(PreconditionFailed):
        blob.download_as_bytes(if_generation_match=1)


def test_what_the_reader_has_already_is_not_sent_again(
    url: str, http: requests.Session, blob: Blob
) -> None:
    address = _address(url, blob)
    assert http.get(f"{address}&ifGenerationNotMatch={blob.generation}").status_code == 304
    headers = {"If-None-Match": f'"{blob.etag}"'}
    answer = http.get(address, headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    assert http.get(address).content == _DATA


def test_an_object_deleted_while_it_is_read_is_read_to_its_end(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    blob, data = bucket.blob("large"), bytes(64 << 20)
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.patch()
    blob.upload_from_string(data)
    with http.get(_address(url, blob), stream=True) as answer:
        assert len(answer.raw.read(10)) == 10
        blob.delete()
        rest = sum(map(len, answer.iter_content(1 << 20)))
    assert rest == len(data) - 10
