"""Resumable uploads, as Python's and Go's clients make them."""

import os
from io import BytesIO

import pytest
import requests
from google.cloud.storage import Bucket

_GRAIN = 256 << 10


def _start(
    http: requests.Session,
    url: str,
    bucket: Bucket,
    name: str = "big",
    query: str = "",
    **more: str,
) -> str:
    address = f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name={name}{query}"
    answer = http.post(address, json={"metadata": {"run": "7"}}, headers=more)
    answer.raise_for_status()
    return answer.headers["Location"]


def _put(
    http: requests.Session, location: str, content_range: str, data: bytes = b"", **more: str
) -> requests.Response:
    return http.put(location, data=data, headers={"Content-Range": content_range, **more})


def test_an_upload_in_pieces_arrives_whole(bucket: Bucket) -> None:
    data = os.urandom(3 * 1024 * 1024 + 123)
    blob = bucket.blob("big", chunk_size=_GRAIN)
    blob.metadata = {"run": "7"}
    blob.upload_from_file(BytesIO(data), size=len(data), content_type="x/y")
    found = bucket.get_blob("big")
    assert found is not None
    assert (found.size, found.metadata, found.content_type) == (len(data), {"run": "7"}, "x/y")
    assert found.crc32c == blob.crc32c
    assert found.download_as_bytes() == data


def test_an_upload_of_unknown_size_arrives_whole(bucket: Bucket) -> None:
    data = os.urandom(700_000)
    with bucket.blob("stream").open("wb", chunk_size=_GRAIN) as file:
        for start in range(0, len(data), 100_000):
            file.write(data[start : start + 100_000])
    assert bucket.blob("stream").download_as_bytes() == data


def test_an_empty_upload_of_unknown_size_is_an_empty_object(bucket: Bucket) -> None:
    with bucket.blob("empty").open("wb"):
        pass
    assert bucket.blob("empty").download_as_bytes() == b""


def test_an_interrupted_upload_is_taken_up_where_it_stopped(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    data = os.urandom(_GRAIN * 3 + 5)
    total, location = len(data), _start(http, url, bucket)
    assert "Range" not in _put(http, location, f"bytes */{total}").headers
    first = _put(http, location, f"bytes 0-{2 * _GRAIN - 1}/{total}", data[: 2 * _GRAIN])
    assert first.status_code == 308
    for asked in (f"bytes */{total}", "bytes */*"):
        status = _put(http, location, asked)
        assert (status.status_code, status.headers["Range"]) == (308, "bytes=0-524287")
    last = _put(http, location, f"bytes {2 * _GRAIN}-{total - 1}/{total}", data[2 * _GRAIN :])
    assert last.json()["metadata"] == {"run": "7"}
    assert bucket.blob("big").download_as_bytes() == data


def test_a_client_that_lost_the_last_answer_may_ask_again(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    location = _start(http, url, bucket)
    made = _put(http, location, "bytes 0-2/3", b"abc").json()
    for again in (_put(http, location, "bytes */3"), _put(http, location, "bytes 0-2/3", b"abc")):
        assert again.json()["generation"] == made["generation"]


def test_bytes_sent_twice_count_once(url: str, http: requests.Session, bucket: Bucket) -> None:
    data = os.urandom(_GRAIN * 2)
    location = _start(http, url, bucket)
    _put(http, location, f"bytes 0-{_GRAIN - 1}/*", data[:_GRAIN])
    _put(http, location, f"bytes 0-{_GRAIN - 1}/*", data[:_GRAIN])
    _put(http, location, f"bytes 0-{len(data) - 1}/{len(data)}", data)
    assert bucket.blob("big").download_as_bytes() == data


def test_a_gap_is_not_filled(url: str, http: requests.Session, bucket: Bucket) -> None:
    location = _start(http, url, bucket)
    answer = _put(http, location, f"bytes {_GRAIN}-{2 * _GRAIN - 1}/*", bytes(_GRAIN))
    assert answer.status_code == 308
    assert "Range" not in answer.headers


def test_of_a_piece_in_the_middle_only_whole_grains_are_kept(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    answer = _put(http, _start(http, url, bucket), f"bytes 0-{_GRAIN}/*", bytes(_GRAIN + 1))
    assert answer.headers["Range"] == f"bytes=0-{_GRAIN - 1}"


def test_a_put_without_a_range_is_all_there_is(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    assert http.put(_start(http, url, bucket), data=b"all of it").ok
    assert bucket.blob("big").download_as_bytes() == b"all of it"


def test_go_posts_pieces_and_is_spared_the_308(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    data, location = os.urandom(_GRAIN + 9), _start(http, url, bucket)
    headers = {"X-GUploader-No-308": "yes", "Content-Range": f"bytes 0-{_GRAIN - 1}/*"}
    first = http.post(location, data=data[:_GRAIN], headers=headers)
    assert first.status_code == 200
    assert first.headers["X-Http-Status-Code-Override"] == "308"
    assert first.headers["Range"] == f"bytes=0-{_GRAIN - 1}"
    headers["Content-Range"] = f"bytes {_GRAIN}-{len(data) - 1}/{len(data)}"
    last = http.post(location, data=data[_GRAIN:], headers=headers)
    assert "X-Http-Status-Code-Override" not in last.headers
    assert last.json()["size"] == str(len(data))


def test_gos_empty_last_piece_ends_the_upload(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    location = _start(http, url, bucket)
    http.post(location, data=bytes(_GRAIN), headers={"Content-Range": f"bytes 0-{_GRAIN - 1}/*"})
    last = http.post(location, headers={"Content-Range": f"bytes */{_GRAIN}"})
    assert last.json()["size"] == str(_GRAIN)


def test_the_last_pieces_checksum_is_verified(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    location = _start(http, url, bucket)
    wrong = {"X-Goog-Hash": "crc32c=AAAAAA=="}
    assert _put(http, location, "bytes 0-2/3", b"abc", **wrong).status_code == 400
    assert not bucket.blob("big").exists()


def test_create_only_is_held_at_the_start(url: str, http: requests.Session, bucket: Bucket) -> None:
    bucket.blob("big").upload_from_string("first")
    with pytest.raises(requests.HTTPError, match="412"):
        _start(http, url, bucket, query="&ifGenerationMatch=0")


def test_create_only_is_held_again_at_the_end(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    location = _start(http, url, bucket, query="&ifGenerationMatch=0")
    bucket.blob("big").upload_from_string("first")
    assert _put(http, location, "bytes 0-2/3", b"abc").status_code == 412
    assert bucket.blob("big").download_as_bytes() == b"first"


def test_a_cancelled_upload_is_gone(url: str, http: requests.Session, bucket: Bucket) -> None:
    location = _start(http, url, bucket)
    assert http.delete(location).status_code == 499
    assert _put(http, location, "bytes 0-2/3", b"abc").status_code == 404


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-1/3", "bytes 0-9/10", "bytes 2-0/3", "bytes 0-2/1", "0-2/3", "bytes x-y/z", "bytes"],
)
def test_a_piece_that_is_not_what_it_says_is_refused(
    url: str, http: requests.Session, bucket: Bucket, content_range: str
) -> None:
    location = _start(http, url, bucket)
    assert _put(http, location, content_range, b"abc").status_code == 400
    assert _put(http, location, "bytes 0-2/3", b"abc").ok


def test_the_location_is_where_the_client_is(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    assert _start(http, url, bucket, Host="gcs.test:99").startswith("http://gcs.test:99/upload/")
