"""The XML API: Go's reads, signed URLs, and uploads in parallel parts."""

import os
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.storage import Blob, Bucket
from google.cloud.storage.transfer_manager import THREAD, upload_chunks_concurrently
from google.oauth2.service_account import Credentials


@pytest.fixture
def blob(bucket: Bucket) -> Blob:
    blob = bucket.blob("dir/ü x.txt")
    blob.metadata = {"run": "7"}
    blob.upload_from_string("content", content_type="text/plain")
    return blob


def _path(blob: Blob) -> str:
    return f"/{blob.bucket.name}/dir/%C3%BC%20x.txt"


def test_go_reads_an_object_by_bucket_and_name(
    url: str, http: requests.Session, blob: Blob
) -> None:
    answer = http.get(f"{url}{_path(blob)}")
    assert answer.content == b"content"
    assert answer.headers["X-Goog-Generation"] == str(blob.generation)
    assert answer.headers["X-Goog-Hash"] == f"crc32c={blob.crc32c},md5={blob.md5_hash}"
    assert answer.headers["Last-Modified"].endswith("GMT")


def test_an_escaped_slash_is_a_slash(url: str, http: requests.Session, blob: Blob) -> None:
    path = _path(blob).replace("dir/", "dir%2F")
    assert http.get(url + path, headers={"Range": "bytes=0-2"}).content == b"con"


def test_go_asks_for_the_length_of_an_object(url: str, http: requests.Session, blob: Blob) -> None:
    assert http.head(f"{url}{_path(blob)}").headers["Content-Length"] == "7"


def test_custom_metadata_comes_in_headers_where_its_key_can_be_one(
    url: str, http: requests.Session, blob: Blob
) -> None:
    blob.metadata = {"run": "sieben ü", "no header: x": "y", "bad\r\nX-Evil": "z"}
    blob.patch()
    headers = http.get(f"{url}{_path(blob)}").headers
    assert headers["x-goog-meta-run"].encode("latin-1").decode() == "sieben ü"
    assert not [name for name in headers if "evil" in name.lower() or "no header" in name]


def test_conditions_stand_in_the_headers(url: str, http: requests.Session, blob: Blob) -> None:
    headers = {"x-goog-if-generation-match": "1"}
    answer = http.get(f"{url}{_path(blob)}", headers=headers)
    assert answer.status_code == 412
    assert ElementTree.fromstring(answer.content).findtext("Code") == "PreconditionFailed"


def test_a_missing_object_is_an_error_in_xml(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    answer = http.get(f"{url}/{bucket.name}/missing")
    assert answer.status_code == 404
    assert ElementTree.fromstring(answer.content).findtext("Code") == "NoSuchKey"


def test_a_signed_url_is_a_plain_download(url: str, http: requests.Session, blob: Blob) -> None:
    signed = blob.generate_signed_url(
        timedelta(minutes=5), credentials=_signer(), version="v4", api_access_endpoint=url
    )
    assert http.get(signed).content == b"content"


def test_a_signed_url_takes_an_upload(url: str, http: requests.Session, bucket: Bucket) -> None:
    signed = bucket.blob("put").generate_signed_url(
        timedelta(minutes=5),
        credentials=_signer(),
        version="v4",
        method="PUT",
        api_access_endpoint=url,
    )
    headers = {"Content-Type": "text/plain", "x-goog-meta-run": "7"}
    assert http.put(signed, data=b"uploaded", headers=headers).ok
    found = bucket.get_blob("put")
    assert found is not None
    assert (found.metadata, found.content_type) == ({"run": "7"}, "text/plain")
    assert found.download_as_bytes() == b"uploaded"


def test_parts_sent_at_once_become_one_object(bucket: Bucket, tmp_path: Path) -> None:
    data, mib = os.urandom(15_700_000), 1 << 20
    (tmp_path / "data").write_bytes(data)
    blob = bucket.blob("big/parts")
    blob.metadata = {"run": "7"}
    upload_chunks_concurrently(
        str(tmp_path / "data"), blob, chunk_size=5 * mib, max_workers=3, worker_type=THREAD
    )
    found = bucket.get_blob("big/parts")
    assert found is not None
    assert (found.metadata, found.size) == ({"run": "7"}, len(data))
    assert found.download_as_bytes() == data


def _start(http: requests.Session, address: str) -> str:
    answer = http.post(f"{address}?uploads")
    found = ElementTree.fromstring(answer.content).findtext("{*}UploadId")
    assert found is not None
    return found


def _complete(
    http: requests.Session, address: str, upload: str, *parts: tuple[int, str]
) -> requests.Response:
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        for number, etag in parts
    )
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    return http.post(f"{address}?uploadId={upload}", data=body)


def test_parts_are_joined_by_number_and_the_last_of_a_number_counts(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    address = f"{url}/{bucket.name}/joined"
    upload, sent = _start(http, address), {}
    for number, body in ((2, b"B"), (1, b"x"), (1, b"A")):
        answer = http.put(f"{address}?partNumber={number}&uploadId={upload}", data=body)
        sent[number] = answer.headers["ETag"]
    assert _complete(http, address, upload, *sent.items()).ok
    assert bucket.blob("joined").download_as_bytes() == b"AB"


def test_a_part_with_a_wrong_checksum_is_refused(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    address = f"{url}/{bucket.name}/bad"
    part = f"{address}?partNumber=1&uploadId={_start(http, address)}"
    answer = http.put(part, data=b"x", headers={"X-Goog-Hash": "crc32c=AAAAAA=="})
    error = ElementTree.fromstring(answer.content)
    assert (answer.status_code, error.findtext("Code")) == (400, "BadDigest")
    assert error.findtext("Message")
    assert error.findtext("Details")


@pytest.mark.parametrize("part", [(1, "wrong"), (2, "missing"), (0, "x")])
def test_a_part_that_was_not_sent_cannot_be_joined(
    url: str, http: requests.Session, bucket: Bucket, part: tuple[int, str]
) -> None:
    address = f"{url}/{bucket.name}/bad"
    upload = _start(http, address)
    http.put(f"{address}?partNumber=1&uploadId={upload}", data=b"x")
    assert _complete(http, address, upload, part).status_code == 400
    assert not bucket.blob("bad").exists()


@pytest.mark.parametrize("body", [b"", b"<", b"<CompleteMultipartUpload/>", b"\xff\0"])
def test_a_list_of_parts_that_is_none_is_refused(
    url: str, http: requests.Session, bucket: Bucket, body: bytes
) -> None:
    address = f"{url}/{bucket.name}/bad"
    upload = _start(http, address)
    answer = http.post(f"{address}?uploadId={upload}", data=body)
    assert answer.status_code == 400
    assert ElementTree.fromstring(answer.content).findtext("Code") == "MalformedXML"


def test_an_aborted_upload_is_gone(url: str, http: requests.Session, bucket: Bucket) -> None:
    address = f"{url}/{bucket.name}/gone"
    upload = _start(http, address)
    assert http.delete(f"{address}?uploadId={upload}").status_code == 204
    assert http.put(f"{address}?partNumber=1&uploadId={upload}", data=b"x").status_code == 404


def test_an_upload_belongs_to_its_object(url: str, http: requests.Session, bucket: Bucket) -> None:
    upload = _start(http, f"{url}/{bucket.name}/mine")
    other = f"{url}/{bucket.name}/other?partNumber=1&uploadId={upload}"
    assert http.put(other, data=b"x").status_code == 404


def test_an_address_of_no_bucket_is_unserved(
    url: str, http: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    assert http.get(f"{url}/v9/projects/demo").status_code == 404
    assert "unserved: GET /v9/projects/demo" in caplog.text


def _signer() -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signer: Credentials = Credentials.from_service_account_info(
        {
            "client_email": "signer@demo.iam.gserviceaccount.com",
            "private_key": text.decode(),
            "token_uri": "http://127.0.0.1/token",
        }
    )
    return signer
