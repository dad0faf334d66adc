"""Listing objects: prefixes, delimiters, globs, pages and partial answers."""

import pytest
import requests
from google.api_core.exceptions import BadRequest
from google.cloud.storage import Bucket

_NAMES = ["a", "a/1", "a/2", "a/sub/3", "b/1", "c", "pg/0", "pg/1", "pg/2", "pg/3", "pg/4"]


@pytest.fixture
def full(bucket: Bucket) -> Bucket:
    for name in _NAMES:
        bucket.blob(name).upload_from_string(name)
    return bucket


def _names(bucket: Bucket, **query: object) -> list[str]:
    return [found.name for found in bucket.list_blobs(**query)]


def test_all_objects_are_listed_by_name(full: Bucket) -> None:
    assert _names(full) == _NAMES


def test_names_are_ordered_as_bytes(bucket: Bucket) -> None:
    names = ["Z", "a", "z", "~", "\u00e4", "\uffee", "\U0001f600"]
    for name in reversed(names):
        bucket.blob(name).upload_from_string("")
    assert _names(bucket) == names


def test_a_prefix_selects_exactly_its_objects(full: Bucket) -> None:
    assert _names(full, prefix="a/") == ["a/1", "a/2", "a/sub/3"]
    assert _names(full, prefix="nothing") == []


def test_offsets_bound_the_names(full: Bucket) -> None:
    assert _names(full, start_offset="a/2", end_offset="c") == ["a/2", "a/sub/3", "b/1"]


def test_a_delimiter_folds_what_is_below(full: Bucket) -> None:
    listing = full.list_blobs(delimiter="/")
    assert [found.name for found in listing] == ["a", "c"]
    assert listing.prefixes == {"a/", "b/", "pg/"}


def test_a_delimiter_folds_below_a_prefix(full: Bucket) -> None:
    listing = full.list_blobs(prefix="a/", delimiter="/")
    assert [found.name for found in listing] == ["a/1", "a/2"]
    assert listing.prefixes == {"a/sub/"}


def test_an_object_that_ends_with_the_delimiter_can_be_listed_too(bucket: Bucket) -> None:
    for name in ("d/", "d/x"):
        bucket.blob(name).upload_from_string("")
    assert _names(bucket, delimiter="/") == []
    assert _names(bucket, delimiter="/", include_trailing_delimiter=True) == ["d/"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_hold_every_object_once(full: Bucket, size: int) -> None:
    pages = [[found.name for found in page] for page in full.list_blobs(page_size=size).pages]
    assert max(map(len, pages)) <= size
    assert [name for page in pages for name in page] == _NAMES


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_every_prefix_once(full: Bucket, size: int) -> None:
    listing = full.list_blobs(delimiter="/", page_size=size)
    names, prefixes = [], []
    for page in listing.pages:
        names += [found.name for found in page]
        prefixes += page.prefixes
    assert (names, prefixes) == (["a", "c"], ["a/", "b/", "pg/"])


def test_pages_hold_every_version_once(bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    for body in "123":
        for name in ("v", "w"):
            bucket.blob(name).upload_from_string(body)
    found = list(bucket.list_blobs(versions=True, page_size=2))
    assert [each.name for each in found] == ["v"] * 3 + ["w"] * 3
    assert len({each.generation for each in found}) == 6


@pytest.mark.parametrize("token", ["junk", "é", "W10=", "bnVsbA=="])
def test_a_page_token_of_no_page_is_refused(full: Bucket, token: str) -> None:
    with pytest.raises(BadRequest):
        list(full.list_blobs(page_token=token))


def test_a_page_size_that_is_no_number_is_refused(
    url: str, http: requests.Session, bucket: Bucket
) -> None:
    assert http.get(f"{url}/storage/v1/b/{bucket.name}/o?maxResults=many").status_code == 400


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("pg/[01]", ["pg/0", "pg/1"]),
        ("pg/[!0-3]", ["pg/4"]),
        ("*", ["a", "c"]),
        ("a/*", ["a/1", "a/2"]),
        ("a/**", ["a/1", "a/2", "a/sub/3"]),
        ("**/3", ["a/sub/3", "pg/3"]),
        ("{a,b}/1", ["a/1", "b/1"]),
        ("?", ["a", "c"]),
        ("?/1", ["a/1", "b/1"]),
        ("a.1", []),
    ],
)
def test_a_glob_selects_by_its_pattern(full: Bucket, glob: str, names: list[str]) -> None:
    assert _names(full, match_glob=glob) == names


@pytest.mark.parametrize("glob", ["{a", "a}", "[z-a]"])
def test_a_glob_that_is_none_is_refused(full: Bucket, glob: str) -> None:
    with pytest.raises(BadRequest):
        _names(full, match_glob=glob)


def test_fields_leave_out_the_rest(url: str, http: requests.Session, full: Bucket) -> None:
    address = f"{url}/storage/v1/b/{full.name}/o?prefix=a/&maxResults=2&fields="
    assert http.get(address + "items(name,size)").json() == {
        "items": [{"name": "a/1", "size": "3"}, {"name": "a/2", "size": "3"}]
    }
    assert http.get(address + "items/name,kind").json() == {
        "kind": "storage#objects",
        "items": [{"name": "a/1"}, {"name": "a/2"}],
    }
    assert http.get(address + "nextPageToken").json().keys() == {"nextPageToken"}


@pytest.mark.parametrize("fields", ["items(", "items)", ",", "a/", "a(b))", "()", "a,,b"])
def test_fields_that_are_none_are_refused(
    url: str, http: requests.Session, full: Bucket, fields: str
) -> None:
    answer = http.get(f"{url}/storage/v1/b/{full.name}/o", params={"fields": fields})
    assert answer.status_code == 400


def test_a_missing_bucket_is_not_listed(url: str, http: requests.Session) -> None:
    assert http.get(f"{url}/storage/v1/b/no-such-bucket/o").status_code == 404
