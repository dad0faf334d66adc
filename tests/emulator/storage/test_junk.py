"""Junk: whatever is sent, storage refuses it or takes it, and never fails on it."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.emulator.principals import Principals
from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.storage.service import Storage
from jobs.emulator.wire import Request
from tests.emulator.storage.serving import NUMBERS

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_FIELDS = [
    *("name", "metadata", "labels", "lifecycle", "rule", "action", "condition", "type", "age"),
    *("iamConfiguration", "uniformBucketLevelAccess", "enabled", "publicAccessPrevention"),
    *("softDeletePolicy", "retentionDurationSeconds", "versioning", "storageClass", "location"),
    *("contentType", "md5Hash", "crc32c", "bindings", "role", "members", "etag", "version"),
    *("sourceObjects", "destination", "generation", "objectPreconditions", "customTime"),
    *("ifGenerationMatch", "retention", "temporaryHold", "hierarchicalNamespace"),
]
_KEYS = st.sampled_from(_FIELDS)
_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", [], ["x"], [None], [{}], {}, {"x": 1}),
    *({"enabled": "x"}, {"rule": [None]}, {"rule": [{"action": {"type": []}}]}),
    *({"uniformBucketLevelAccess": []}, {"retentionDurationSeconds": {}}),
    *([{"role": "roles/x", "members": {}}], [{"role": "roles/x", "members": [{}]}]),
    *([{"name": []}], [{"name": "object", "generation": {}}]),
]
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_BODIES = st.binary(max_size=60) | st.dictionaries(_KEYS, _JSON, max_size=5).map(
    lambda body: json.dumps(body).encode()
)
_NAMES = st.sampled_from(["fuzzed", "object", "a/b"]) | st.text(min_size=1, max_size=8)
_PATHS = st.sampled_from(
    [
        *("/storage/v1/b", "/storage/v1/b/{}", "/storage/v1/b/{}/o", "/storage/v1/b/{}/o/{}"),
        *("/storage/v1/b/{}/iam", "/storage/v1/b/{}/iam/testPermissions"),
        *("/storage/v1/b/{}/o/{}/compose", "/storage/v1/b/{}/o/{}/restore"),
        *("/storage/v1/b/{}/o/{}/copyTo/b/{}/o/{}", "/storage/v1/b/{}/o/{}/rewriteTo/b/{}/o/{}"),
        *("/upload/storage/v1/b/{}/o", "/download/storage/v1/b/{}/o/{}", "/batch/storage/v1"),
        *("/storage/v1/projects/{}/serviceAccount", "/{}/{}"),
    ]
)
_QUERY = st.dictionaries(
    st.sampled_from(
        [
            *("project", "name", "uploadType", "upload_id", "uploads", "uploadId", "partNumber"),
            *("alt", "fields", "prefix", "delimiter", "maxResults", "pageToken", "matchGlob"),
            *("versions", "softDeleted", "startOffset", "endOffset", "generation", "permissions"),
            *("ifGenerationMatch", "ifMetagenerationNotMatch", "sourceGeneration"),
            *("optionsRequestedPolicyVersion", "includeTrailingDelimiter"),
        ]
    ),
    st.sampled_from(["media", "multipart", "resumable", "demo", "true", "0", "1", "fuzzed"])
    | st.text(max_size=6),
    max_size=4,
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            *("Content-Type", "Content-Range", "Range", "X-Goog-Hash", "Content-MD5", "If-Match"),
            *("If-None-Match", "x-goog-if-generation-match", "x-goog-meta-a", "Cache-Control"),
        ]
    ),
    st.sampled_from(["multipart/related; boundary=a", "bytes 0-1/2", "bytes=0-", "crc32c=x", "*"])
    | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=8),
    max_size=3,
)


@contextmanager
def _serving(folder: Path) -> Iterator[Server]:
    state = State(folder)
    server = Server(Storage(state, Principals(state, NUMBERS), NUMBERS).routes())
    create: dict[str, Any] = {"name": "fuzzed", "versioning": {"enabled": True}}
    _answered(server, "POST", "/storage/v1/b", {"project": "demo"}, {}, json.dumps(create).encode())
    upload = {"uploadType": "media", "name": "object"}
    _answered(server, "POST", "/upload/storage/v1/b/fuzzed/o", upload, {}, b"body")
    yield server
    server.close()
    state.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What any request may have been sent to."""
    with _serving(tmp_path_factory.mktemp("junk")) as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    with _serving(tmp_path) as server:
        yield server


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/storage/v1/b/fuzzed"),
        ("PUT", "/storage/v1/b/fuzzed"),
        ("PUT", "/storage/v1/b/fuzzed/iam"),
        ("PATCH", "/storage/v1/b/fuzzed/o/object"),
        ("PUT", "/storage/v1/b/fuzzed/o/object"),
        ("POST", "/storage/v1/b/fuzzed/o/copy/compose"),
        ("POST", "/storage/v1/b/fuzzed/o/object/rewriteTo/b/fuzzed/o/copy"),
        ("POST", "/upload/storage/v1/b/fuzzed/o"),
    ],
)
def test_no_field_makes_storage_fail_then_or_later(fresh: Server, method: str, path: str) -> None:
    query = {"uploadType": "resumable"} if path.startswith("/upload") else {}
    for field, value in itertools.product(_FIELDS, _VALUES):
        body = {"sourceObjects": [{"name": "object"}], field: value}
        status = _answered(fresh, method, path, query, {}, json.dumps(body).encode())
        assert status in (200, 400, 403, 404, 412), (field, value)
    for address in ("/storage/v1/b/fuzzed", "/storage/v1/b/fuzzed/iam", "/fuzzed/object"):
        assert _answered(fresh, "GET", address, {}, {}, b"") == 200


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=_PATHS,
    names=st.lists(_NAMES, min_size=4, max_size=4),
    query=_QUERY,
    headers=_HEADERS,
    body=_BODIES,
)
def test_no_request_makes_storage_fail(
    server: Server,
    method: str,
    path: str,
    names: list[str],
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
) -> None:
    address = path.format(*(quote(name, safe="", errors="replace") for name in names))
    assert _answered(server, method, address, query, headers, body) != 500


def _answered(
    server: Server,
    method: str,
    path: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
) -> int:
    message = Message()
    for name, value in headers.items():
        message[name] = value
    values = {name: [value] for name, value in query.items()}
    origin = "http://127.0.0.1"
    response = server.answer(
        Request(method, path, values, message, BytesIO(body), origin, answer=server.answer)
    )
    if close := getattr(response.body, "close", None):
        close()
    return response.status
