"""What is left after a restart, after kill -9, and on the disk."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from google.cloud.storage import Bucket, Client

from tests.emulator.storage.serving import connect, serving

_GRAIN = 256 << 10
_SERVE = """
import sys, threading
from pathlib import Path
from tests.emulator.storage.serving import serving
with serving(Path(sys.argv[1])) as url:
    print(url, flush=True)
    threading.Event().wait()
"""


def _fleeting(client: Client) -> Bucket:
    """A bucket that keeps nothing of what is deleted."""
    bucket = client.bucket("fleeting")
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.create()
    return bucket


def _bodies(folder: Path) -> int:
    """Small bodies are rows, larger ones files."""
    with closing(sqlite3.connect(folder / "state.db")) as database:
        ((rows,),) = database.execute("SELECT count(*) FROM storage_small")
    return int(rows) + len(list((folder / "blobs").iterdir()))


def test_everything_is_there_after_a_restart(folder: Path) -> None:
    with serving(folder) as url, connect(url) as client:
        bucket = client.bucket("lasting")
        bucket.labels = {"team": "search"}
        bucket.create()
        blob = bucket.blob("kept")
        blob.metadata = {"run": "7"}
        blob.upload_from_string("body", content_type="text/plain")
        policy = bucket.get_iam_policy(requested_policy_version=3)
        policy.bindings.append({"role": "roles/viewer", "members": {"user:ann@example.com"}})
        bucket.set_iam_policy(policy)
    with serving(folder) as url, connect(url) as client:
        bucket = client.get_bucket("lasting")
        found = bucket.get_blob("kept")
        assert found is not None
        assert found._properties | {"mediaLink": ""} == blob._properties | {"mediaLink": ""}
        assert found.download_as_bytes() == b"body"
        assert bucket.labels == {"team": "search"}
        assert bucket.get_iam_policy(requested_policy_version=3).bindings[-1]["members"] == {
            "user:ann@example.com"
        }
        bucket.blob("kept").upload_from_string("next", if_generation_match=found.generation)


def test_a_resumable_upload_goes_on_after_a_restart(folder: Path, http: requests.Session) -> None:
    data = os.urandom(_GRAIN + 10)
    with serving(folder) as url, connect(url) as client:
        client.create_bucket("lasting")
        start = f"{url}/upload/storage/v1/b/lasting/o?uploadType=resumable&name=big"
        location = urlsplit(http.post(start, json={}).headers["Location"])
        first = {"Content-Range": f"bytes 0-{_GRAIN - 1}/*"}
        http.put(location.geturl(), data=data[:_GRAIN], headers=first)
    with serving(folder) as url, connect(url) as client:
        again = f"{url}{location.path}?{location.query}"
        status = http.put(again, headers={"Content-Range": "bytes */*"})
        assert status.headers["Range"] == f"bytes=0-{_GRAIN - 1}"
        rest = {"Content-Range": f"bytes {_GRAIN}-{len(data) - 1}/{len(data)}"}
        assert http.put(again, data=data[_GRAIN:], headers=rest).ok
        assert client.bucket("lasting").blob("big").download_as_bytes() == data


@pytest.mark.parametrize("kind", ["media", "resumable"])
def test_a_server_killed_during_an_upload_leaves_no_half_object(
    folder: Path, http: requests.Session, kind: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with connect(url) as client:
            client.create_bucket("lasting").blob("whole").upload_from_string("first")
        address = f"{url}/upload/storage/v1/b/lasting/o?uploadType={kind}&name=whole"
        if kind == "resumable":
            address = http.post(address, json={}).headers["Location"]
        with _half_sent(address, "POST" if kind == "media" else "PUT"):
            _wait_for(folder, 1 << 20)
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=60)
    with serving(folder) as url, connect(url) as client:
        assert client.bucket("lasting").blob("whole").download_as_bytes() == b"first"
        # The session may still go on; the body of the upload in one request is swept away.
        assert _bodies(folder) == (1 if kind == "media" else 2)


def _half_sent(address: str, method: str) -> socket.socket:
    """A connection on which two of ten announced megabytes were sent."""
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    head = f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {10 << 20}"
    connection.sendall(f"{head}\r\n\r\n".encode() + bytes(2 << 20))
    return connection


def _wait_for(folder: Path, size: int) -> None:
    """Until a blob of at least `size` is being written; pytest's timeout is the limit."""
    while not any(path.stat().st_size >= size for path in (folder / "blobs").iterdir()):
        os.sched_yield()


def test_a_client_gone_during_an_upload_leaves_nothing(folder: Path) -> None:
    with serving(folder) as url, connect(url) as client:
        bucket = _fleeting(client)
        address = f"{url}/upload/storage/v1/b/fleeting/o?uploadType=media&name=whole"
        with _half_sent(address, "POST"):
            _wait_for(folder, 1 << 20)
        while _bodies(folder):
            os.sched_yield()
        assert list(bucket.list_blobs()) == []


def test_a_client_gone_during_a_piece_resumes_where_it_came_to(
    folder: Path, http: requests.Session
) -> None:
    with serving(folder) as url, connect(url) as client:
        _fleeting(client)
        start = f"{url}/upload/storage/v1/b/fleeting/o?uploadType=resumable&name=big"
        location = http.post(start, json={}).headers["Location"]
        with _half_sent(location, "PUT"):
            _wait_for(folder, 2 << 20)
        status = http.put(location, headers={"Content-Range": f"bytes */{10 << 20}"})
        assert status.headers["Range"] == f"bytes=0-{(2 << 20) - 1}"


@pytest.mark.parametrize("size", [10, 100_000])
def test_no_body_is_left_that_no_object_needs(folder: Path, size: int) -> None:
    with serving(folder) as url, connect(url) as client:
        bucket = _fleeting(client)
        bucket.blob("a").upload_from_string("1" * size)
        bucket.blob("a").upload_from_string("2" * size)
        assert _bodies(folder) == 1
        bucket.copy_blob(bucket.blob("a"), bucket, "b")
        bucket.blob("a").delete()
        assert _bodies(folder) == 1
        bucket.blob("b").delete()
        assert _bodies(folder) == 0


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_refused_upload_leaves_no_body(folder: Path, http: requests.Session, size: int) -> None:
    with serving(folder) as url, connect(url) as client:
        _fleeting(client)
        address = f"{url}/upload/storage/v1/b/fleeting/o?uploadType=media&name=x"
        answer = http.post(address, data=bytes(size), headers={"X-Goog-Hash": "md5=AAAA"})
        assert answer.status_code == 400
        assert _bodies(folder) == 0


def test_names_never_leave_the_folder(folder: Path) -> None:
    with serving(folder) as url, connect(url) as client:
        bucket = _fleeting(client)
        before = {path for path in folder.parent.rglob("*") if "blobs" not in path.parts}
        for name in ("../../../escaped", "/escaped", "..\\escaped", "nul\0escaped"):
            bucket.blob(name).upload_from_string("x" * 100_000)
        after = {path for path in folder.parent.rglob("*") if "blobs" not in path.parts}
        assert after == before
        assert _bodies(folder) == 4


def test_what_was_deleted_softly_goes_when_its_time_is_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(folder) as url, connect(url) as client:
        client.create_bucket("lasting").blob("gone").upload_from_string("x")
        client.bucket("lasting").blob("gone").delete()
    with serving(folder) as url, connect(url) as client:
        assert [found.name for found in client.list_blobs("lasting", soft_deleted=True)] == ["gone"]
    later = time.time_ns() + 8 * 86400 * 10**9
    monkeypatch.setattr("time.time_ns", lambda: later)
    with serving(folder) as url, connect(url) as client:
        assert list(client.list_blobs("lasting", soft_deleted=True)) == []
        assert _bodies(folder) == 0
