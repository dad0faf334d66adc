"""Batches."""

import pytest
import requests
from google.cloud.storage import Bucket, Client

_TYPE = {"Content-Type": "multipart/mixed; boundary=edge"}


def test_a_batch_of_deletions_deletes_all(client: Client, bucket: Bucket) -> None:
    for name in "abc":
        bucket.blob(name).upload_from_string(name)
    with client.batch():
        for name in "abc":
            bucket.delete_blob(name)
    assert list(bucket.list_blobs()) == []


def test_a_batch_of_patches_changes_all(client: Client, bucket: Bucket) -> None:
    blobs = [bucket.blob(name) for name in ("ü", "b c")]
    for blob in blobs:
        blob.upload_from_string("x")
    with client.batch():
        for blob in blobs:
            blob.metadata = {"run": "ü"}
            blob.patch()
    assert [found.metadata for found in bucket.list_blobs()] == [{"run": "ü"}] * 2


def test_one_refusal_does_not_stop_the_others(client: Client, bucket: Bucket) -> None:
    bucket.blob("here").upload_from_string("x")
    with client.batch(raise_exception=False) as batch:
        bucket.delete_blob("missing")
        bucket.delete_blob("here")
    assert [answer.status_code for answer in batch._responses] == [404, 204]
    assert list(bucket.list_blobs()) == []


def test_a_batch_answers_in_order_with_the_ids_it_was_given(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    parts = [
        f"--edge\nContent-Type: application/http\nContent-ID: <{number}>\n\n"
        f"GET /storage/v1/b/{bucket.name}/o/{number} HTTP/1.1\n\n"
        for number in range(3)
    ]
    answer = http.post(f"{url}/batch/storage/v1", data="".join(parts) + "--edge--", headers=_TYPE)
    ids = [line for line in answer.text.splitlines() if line.startswith("Content-ID")]
    assert ids == [f"Content-ID: <response-{number}>" for number in range(3)]
    assert answer.text.count("HTTP/1.1 404 Not Found") == 3


@pytest.mark.parametrize(
    "part",
    [
        "POST /batch/storage/v1 HTTP/1.1",
        "POST /upload/storage/v1/b/x/o?uploadType=media HTTP/1.1",
        "GET /storage/v1/b/x/o/y?alt=media HTTP/1.1",
        "",
        "nonsense",
    ],
)
def test_what_a_batch_cannot_hold_is_refused(url: str, http: requests.Session, part: str) -> None:
    body = f"--edge\r\nContent-Type: application/http\r\n\r\n{part}\r\n\r\n--edge--\r\n"
    assert http.post(f"{url}/batch/storage/v1", data=body, headers=_TYPE).status_code == 400


@pytest.mark.parametrize("content_type", ["application/json", "multipart/mixed", ""])
def test_a_batch_that_is_none_is_refused(
    url: str, http: requests.Session, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    assert http.post(f"{url}/batch/storage/v1", data=b"{}", headers=headers).status_code == 400


def test_a_batch_of_too_many_calls_is_refused(url: str, http: requests.Session) -> None:
    part = "--edge\r\nContent-Type: application/http\r\n\r\nGET /storage/v1/b/x HTTP/1.1\r\n\r\n"
    answer = http.post(f"{url}/batch/storage/v1", data=part * 101 + "--edge--", headers=_TYPE)
    assert answer.status_code == 400
