"""Storage: the right service with the right credentials, and every failure in words, in time."""

import errno
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import remote, storage
from jobs.runner.errors import NotProvisioned, RemoteError, Unreachable, VertuneError
from tests.runner import lines, shell
from tests.runner.lines import Line, line

NAME = "vertune-local"
WHAT = "looking around"


def opened(url: str | None) -> Bucket:
    return storage.bucket(NAME, NAME, url)


def look(bucket: Bucket) -> list[str]:
    with storage.doing(WHAT, bucket):
        found = bucket.list_blobs(timeout=remote.timeout(), retry=storage.retry())
        return [blob.name for blob in found]


def write(bucket: Bucket, generation: int | None = None) -> None:
    with storage.doing(WHAT, bucket):
        bucket.blob("a").upload_from_string(
            "b", if_generation_match=generation, timeout=remote.timeout(), retry=storage.retry()
        )


@pytest.fixture
def way(emulator: Emulator) -> Iterator[Line]:
    opened(emulator.url).create(location="us-central1")
    with line(emulator.url) as way:
        yield way


def refusal(status: int, reason: str, message: str) -> bytes:
    body = {"error": {"code": status, "message": message, "errors": [{"reason": reason}]}}
    return lines.http(status, json.dumps(body))


# Where calls go, and as whom


def test_a_cloud_stacks_bucket_is_never_at_the_emulator(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, emulator.url)
    client = opened(None).client
    assert client.api_endpoint == "https://storage.googleapis.com"
    assert client._credentials.service_account_email == shell.ACCOUNT


def test_the_local_stacks_bucket_is_at_the_emulator_whoever_is_signed_in(
    way: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, lines.nobody())
    write(opened(way.url))
    assert look(opened(way.url)) == ["a"]
    assert opened(way.url).client._credentials.token == "local"


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    way: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    assert look(opened(way.url)) == []


def test_the_emulators_key_is_refused_for_google_cloud(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path, issuer=emulator.url)
    with pytest.raises(Unreachable, match=r"is the emulator's key.*open a new shell"):
        opened(None)


def test_no_credentials_say_how_to_get_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_out(monkeypatch, tmp_path)
    with pytest.raises(Unreachable, match="gcloud auth application-default login"):
        opened(None)


@pytest.mark.parametrize("key", ["", "{", "[]", '{"type": "service_account"}', None])
def test_a_key_file_that_is_none_says_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str | None
) -> None:
    path = tmp_path / "key.json"
    path.mkdir() if key is None else path.write_text(key)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(Unreachable, match="gcloud auth application-default login"):
        opened(None)


def test_credentials_that_are_turned_down_say_how_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, emulator: Emulator
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    revoked = lines.http(400, '{"error": "invalid_grant", "error_description": "Revoked."}')
    bucket = opened(None)
    with lines.saying(revoked) as issuer:
        bucket.client._credentials._token_uri = f"{issuer}/token"
        with pytest.raises(Unreachable) as error:
            look(bucket)
    assert str(error.value) == (
        "looking around: no usable Google credentials (invalid_grant: Revoked.);"
        " run `gcloud auth application-default login`"
    )


# Failures


def test_where_nobody_listens_a_call_fails_at_once() -> None:
    url, start = lines.nobody(), time.monotonic()
    for call in (look, write):
        with pytest.raises(Unreachable) as error:
            call(opened(url))
        assert str(error.value) == (
            f"looking around: the emulator at {url} does not answer (nobody listens there);"
            " start it with `vertune emulator start`"
        )
    assert time.monotonic() - start < 5


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_given_up_after_two_waits() -> None:
    with lines.silent() as url:
        start = time.monotonic()
        with pytest.raises(Unreachable, match="does not answer"):
            look(opened(url))
        assert time.monotonic() - start < 5


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        lines.http(200, "<html>a captive portal</html>", "text/html"),
        lines.http(200, "{", "application/json"),
    ],
)
def test_rubbish_is_no_answer(said: bytes) -> None:
    way_out = r"does not answer \(.+\); run this again, on a busy machine with VERTUNE_PATIENCE=4"
    with lines.saying(said) as url, pytest.raises(Unreachable, match=way_out):
        look(opened(url))


def test_a_connection_that_breaks_is_tried_again(way: Line) -> None:
    way.cut = lines.once("GET /storage/v1/b/vertune-local/o")
    assert look(opened(way.url)) == []
    assert len([asked for asked in way.asked if "/o?" in asked]) == 2


@pytest.mark.usefixtures("soon_done")
def test_a_failing_service_is_named_with_what_it_said() -> None:
    said = refusal(503, "backendError", "Backend Error")
    with lines.saying(said) as url, pytest.raises(RemoteError) as error:
        look(opened(url))
    assert str(error.value) == (
        "looking around: 503 backendError: Backend Error; run this again in a while"
    )


@pytest.mark.parametrize(
    ("status", "reason", "message", "way_out"),
    [
        (403, "forbidden", "No access.", "; `vertune doctor` says whose credentials are in use"),
        (400, "invalid", "Bad.", ""),
    ],
)
@pytest.mark.parametrize("call", [look, write])
def test_a_refusal_is_said_in_the_services_words(
    status: int, reason: str, message: str, way_out: str, call: object
) -> None:
    assert callable(call)
    with lines.saying(refusal(status, reason, message)) as url, pytest.raises(RemoteError) as error:
        call(opened(url))
    assert str(error.value) == f"looking around: {status} {reason}: {message}{way_out}"
    assert error.value.status == status


def test_a_page_of_a_proxy_is_cut_short() -> None:
    page = lines.http(407, "<p>" + "no " * 5000, "text/html")
    with lines.saying(page) as url, pytest.raises(RemoteError) as error:
        look(opened(url))
    assert len(str(error.value)) < 2100


@pytest.mark.parametrize("call", [look, write])
def test_a_missing_bucket_says_what_makes_it(emulator: Emulator, call: object) -> None:
    assert callable(call)
    with pytest.raises(NotProvisioned) as error:
        call(opened(emulator.url))
    assert str(error.value) == (
        f"looking around: there is no bucket gs://{NAME}; run `pulumi up` for this stack"
    )


def test_a_lost_condition_is_a_kind_of_its_own(way: Line) -> None:
    bucket = opened(way.url)
    write(bucket, generation=0)
    with pytest.raises(storage.Changed, match="412 conditionNotMet"):
        write(bucket, generation=0)


def test_a_full_disk_is_not_taken_for_a_silent_service(way: Line) -> None:
    with pytest.raises(VertuneError) as error, storage.doing(WHAT, opened(way.url)):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(error.value) == "looking around: No space left on device"
    assert not isinstance(error.value, Unreachable)


def test_the_client_asks_for_no_bucket_of_its_own_accord(emulator: Emulator) -> None:
    opened(emulator.url).create(location="us-central1")
    emulator.faults.set(Rule("look", method="GET", path=f"/storage/v1/b/{NAME}", status=403))
    assert look(opened(emulator.url)) == []
    for thread in threading.enumerate():
        if "background" in thread.name:  # called after what it does
            thread.join()
    (rule,) = emulator.faults.listed()
    assert rule["hits"] == 0
