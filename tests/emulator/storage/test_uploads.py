"""Uploads in one request, and the checksums that guard them."""

import base64
import hashlib
import json
from collections.abc import Iterator
from io import BytesIO

import google_crc32c
import pytest
import requests
from google.cloud.storage import Bucket
from google.cloud.storage.transfer_manager import THREAD, upload_many

_TEXT = b"The council votes on the budget tonight."


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _related(metadata: object, media: bytes, newline: bytes = b"\r\n") -> bytes:
    head = [b"--edge", b"Content-Type: application/json", b"", json.dumps(metadata).encode()]
    body = [b"--edge", b"Content-Type: text/plain", b"", media, b"--edge--", b""]
    return newline.join([*head, *body])


def _post(
    http: requests.Session, url: str, bucket: Bucket, body: bytes | Iterator[bytes], query: str = ""
) -> requests.Response:
    address = f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart{query}"
    return http.post(
        address, data=body, headers={"Content-Type": "multipart/related; boundary=edge"}
    )


def test_an_upload_keeps_body_type_and_metadata(bucket: Bucket) -> None:
    blob = bucket.blob("notes.txt")
    blob.cache_control, blob.metadata = "no-store", {"run": "7"}
    blob.upload_from_string(b"x" * 50_000, content_type="text/plain")
    found = bucket.get_blob("notes.txt")
    assert found is not None
    assert (found.content_type, found.cache_control) == ("text/plain", "no-store")
    assert (found.metadata, found.size, found.metageneration) == ({"run": "7"}, 50_000, 1)
    assert found.download_as_bytes() == b"x" * 50_000


def test_the_answer_to_an_upload_has_what_clients_read(bucket: Bucket) -> None:
    blob = bucket.blob("notes.txt")
    blob.upload_from_string(_TEXT)
    assert blob.md5_hash == _base64(hashlib.md5(_TEXT).digest())
    assert blob.crc32c == _base64(google_crc32c.value(_TEXT).to_bytes(4, "big"))
    assert blob.id == f"{bucket.name}/notes.txt/{blob.generation}"
    assert blob.storage_class == "STANDARD"
    assert blob.self_link == f"https://www.googleapis.com/storage/v1/b/{bucket.name}/o/notes.txt"


def test_the_media_link_leads_to_the_body(http: requests.Session, bucket: Bucket) -> None:
    blob = bucket.blob("a/b c")
    blob.upload_from_string(_TEXT)
    assert http.get(str(blob.media_link)).content == _TEXT


@pytest.mark.parametrize("checksum", ["md5", "crc32c"])
def test_a_right_checksum_is_accepted(bucket: Bucket, checksum: str) -> None:
    bucket.blob("sum").upload_from_string(_TEXT, checksum=checksum)
    assert bucket.blob("sum").download_as_bytes() == _TEXT


@pytest.mark.parametrize("field", ["md5Hash", "crc32c"])
def test_a_wrong_checksum_is_refused_and_stores_nothing(
    url: str, http: requests.Session, bucket: Bucket, field: str
) -> None:
    answer = _post(http, url, bucket, _related({"name": "bad", field: "AAAAAA=="}, _TEXT))
    assert answer.status_code == 400
    assert not bucket.blob("bad").exists()


def test_a_body_alone_is_an_upload_too(url: str, http: requests.Session, bucket: Bucket) -> None:
    answer = http.post(
        f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=simple%2Fs.txt",
        data=_TEXT,
        headers={"Content-Type": "text/markdown"},
    )
    assert answer.json()["contentType"] == "text/markdown"
    assert bucket.blob("simple/s.txt").download_as_bytes() == _TEXT


def test_a_chunked_body_with_its_name_in_the_query_is_an_upload(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    """As Google's provider sends objects."""
    body = _related({"bucket": bucket.name, "contentType": "application/json"}, b'{"a": 1}')
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    answer = _post(http, url, bucket, pieces, "&name=configs%2Fa.json&alt=json")
    assert answer.json()["contentType"] == "application/json"
    assert bucket.blob("configs/a.json").download_as_bytes() == b'{"a": 1}'


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "media", [b"", b"\r\n", b"ends with CR\r", b"--edge", b"\n\r\n--edge\r\n-"]
)
def test_media_is_kept_to_the_byte(
    url: str, http: requests.Session, bucket: Bucket, media: bytes, newline: bytes
) -> None:
    assert _post(http, url, bucket, _related({"name": "m"}, media, newline)).ok
    assert bucket.blob("m").download_as_bytes() == media


def test_a_closing_boundary_between_two_reads_is_found(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    media = b"m" * ((1 << 20) - len(_related({"name": "m"}, b"")) + 4)
    assert _post(http, url, bucket, _related({"name": "m"}, media)).ok
    assert bucket.blob("m").download_as_bytes() == media


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--edge\r\n",
        _related({"name": "cut"}, _TEXT)[:-6],
        _related("not an object", _TEXT),
        _related({"name": 7}, _TEXT),
        _related({"name": "bad", "metadata": {"k": 1}}, _TEXT),
        _related({"name": "bad", "contentType": ["x"]}, _TEXT),
        _related({"name": "bad", "storageClass": {}}, _TEXT),
    ],
)
def test_a_malformed_upload_is_refused_and_stores_nothing(
    url: str, http: requests.Session, bucket: Bucket, body: bytes
) -> None:
    assert _post(http, url, bucket, body).status_code == 400
    assert list(bucket.list_blobs()) == []


def test_an_upload_of_no_known_type_is_refused(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    answer = http.post(f"{url}/upload/storage/v1/b/{bucket.name}/o?name=x", data=_TEXT)
    assert answer.status_code == 400


def test_an_upload_to_a_missing_bucket_is_not_found(url: str, http: requests.Session) -> None:
    address = f"{url}/upload/storage/v1/b/no-such-bucket/o?uploadType=media&name=x"
    assert http.post(address, data=_TEXT).status_code == 404


def test_many_files_at_once_arrive(bucket: Bucket) -> None:
    pairs = [(BytesIO(f"file {n}".encode()), bucket.blob(f"many/{n}")) for n in range(20)]
    results = upload_many(pairs, worker_type=THREAD, max_workers=8)
    assert not [result for result in results if isinstance(result, Exception)]
    assert len(list(bucket.list_blobs(prefix="many/"))) == 20
