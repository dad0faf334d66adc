"""Object names: every one the service takes, none that it refuses, no path among them."""

from contextlib import suppress
from urllib.parse import quote

import pytest
import requests
from google.cloud.storage import Bucket
from hypothesis import given
from hypothesis import strategies as st

from jobs.emulator.errors import ApiError
from jobs.emulator.storage.names import check_bucket_name, check_object_name

_GOOD = [
    *("sp ace.txt", "ünï.txt", "q?x#y%20z.txt", "dir//double", "a+b&c=d.txt", "a/", "/a"),
    *("../../../etc/passwd", "a/../b", "nul\0byte", "\u202ertl", "日本/語", "x" * 1024, "%2F", "*"),
]
_BAD = ["", ".", "..", "a\rb", "a\nb", "x" * 1025, "ü" * 513, ".well-known/acme-challenge/x"]


@pytest.mark.parametrize("name", _GOOD)
def test_a_name_is_written_read_and_listed(bucket: Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(b"body of " + name.encode())
    assert bucket.blob(name).download_as_bytes() == b"body of " + name.encode()
    assert [found.name for found in bucket.list_blobs(prefix=name)] == [name]
    bucket.blob(name).delete()
    assert not bucket.blob(name).exists()


@pytest.mark.parametrize("name", _BAD)
def test_a_name_the_service_refuses_is_refused(
    url: str, http: requests.Session, bucket: Bucket, name: str
) -> None:
    address = f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name={quote(name)}"
    assert http.post(address, data=b"x").status_code == 400


@given(st.text())
def test_any_text_is_a_name_or_a_refusal(text: str) -> None:
    for check in (check_bucket_name, check_object_name):
        with suppress(ApiError):
            assert check(text) == text
