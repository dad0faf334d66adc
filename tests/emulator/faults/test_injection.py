"""Injection: real connections to an emulator that was told to fail them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from jobs.emulator import daemon
from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.client import FaultsClient
from jobs.emulator.faults.rule import Rule
from tests.emulator.wire import Wire

_BUCKETS = "/storage/v1/b?project=vertune-local"


def rule(**fields: Any) -> Rule:
    return Rule("rule", method="POST", path="/storage/v1/b", **fields)


def create(url: str, seconds: float = 20.0, fault: str | None = None) -> requests.Response:
    headers = {"X-Vertune-Fault": fault} if fault else None
    return requests.post(url + _BUCKETS, json={"name": "made"}, headers=headers, timeout=seconds)


def made(wire: Wire) -> bool:
    """Whether the request that was to be failed has acted."""
    return wire.ask("GET", "/storage/v1/b/made")[0] == 200


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.mark.parametrize(("when", "acted"), [("before", False), ("after", True)])
@pytest.mark.parametrize(
    ("status", "reason", "name"),
    [
        (403, "forbidden", "PERMISSION_DENIED"),
        (429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"),
        (500, "backendError", "INTERNAL"),
        (503, "backendError", "UNAVAILABLE"),
        (418, "invalid", "INVALID_ARGUMENT"),
    ],
)
def test_a_status_is_answered_as_google_words_it_whether_the_request_acted_or_not(
    emulator: Emulator, wire: Wire, when: str, acted: bool, status: int, reason: str, name: str
) -> None:
    emulator.faults.set(rule(when=when, status=status))

    answer = create(emulator.url)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (status, status, name)
    assert error["errors"][0]["reason"] == reason
    assert "on purpose, by rule rule" in error["message"]
    assert made(wire) == acted


@pytest.mark.parametrize(("when", "acted"), [("before", False), ("after", True)])
@pytest.mark.parametrize(
    ("cut", "error"), [("fin", RemoteDisconnected), ("rst", ConnectionResetError)]
)
def test_a_connection_is_cut_without_an_answer(
    emulator: Emulator, wire: Wire, when: str, acted: bool, cut: str, error: type[Exception]
) -> None:
    emulator.faults.set(rule(when=when, cut=cut))

    connection = HTTPConnection(urlsplit(emulator.url).netloc, timeout=20)
    connection.request("POST", _BUCKETS, '{"name": "made"}')
    with pytest.raises(error) as raised:
        connection.getresponse()
    connection.close()

    assert raised.type is error
    assert made(wire) == acted


@pytest.mark.parametrize("size", [1, 2, 1000, 3 << 20])
def test_half_of_a_body_is_sent(emulator: Emulator, wire: Wire, size: int) -> None:
    create(emulator.url)
    upload = f"{emulator.url}/upload/storage/v1/b/made/o?uploadType=media&name=x"
    requests.post(upload, bytes(size), timeout=20)
    emulator.faults.set(Rule(query="alt=media", when="after", truncate=True))

    connection = HTTPConnection(urlsplit(emulator.url).netloc, timeout=20)
    connection.request("GET", "/storage/v1/b/made/o/x?alt=media")
    answer = connection.getresponse()
    with pytest.raises(IncompleteRead) as raised:
        answer.read()
    connection.close()

    assert answer.status == 200
    assert answer.headers["Content-Length"] == str(size)
    assert len(raised.value.partial) == size // 2


def test_half_of_an_answer_that_has_no_body_is_none(emulator: Emulator, wire: Wire) -> None:
    create(emulator.url)
    emulator.faults.set(Rule(method="DELETE", when="after", truncate=True))

    with pytest.raises(requests.ConnectionError):
        requests.delete(f"{emulator.url}/storage/v1/b/made", timeout=20)

    assert not made(wire)


@pytest.mark.parametrize(("when", "acted"), [("before", False), ("after", True)])
def test_a_malformed_answer_says_it_went_well(
    emulator: Emulator, wire: Wire, when: str, acted: bool
) -> None:
    emulator.faults.set(rule(when=when, malformed=True))

    answer = create(emulator.url)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()
    assert made(wire) == acted


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_slower_than_its_client_waits_acts_all_the_same(
    emulator: Emulator, wire: Wire, when: str
) -> None:
    emulator.faults.set(rule(when=when, delay=3))

    with pytest.raises(requests.ReadTimeout):
        create(emulator.url, seconds=0.1)
    emulator.faults.wait("rule")

    assert made(wire) == (when == "after")
    until(lambda: made(wire))


def test_a_delay_comes_before_what_becomes_of_the_request(emulator: Emulator) -> None:
    emulator.faults.set(rule(delay=0.2, status=503))

    started = time.monotonic()
    answer = create(emulator.url)

    assert answer.status_code == 503
    assert time.monotonic() - started >= 0.2


_CLIENT = """
import sys, urllib.request
body = open(sys.argv[2], "rb").read()
request = urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})
urllib.request.urlopen(request)
"""


@pytest.mark.parametrize("padding", [0, 300_000])
@pytest.mark.parametrize(("when", "acted"), [("before", False), ("after", True)])
def test_a_client_killed_while_its_request_is_held_dies_at_exactly_that_point(
    emulator: Emulator, wire: Wire, tmp_path: Path, when: str, acted: bool, padding: int
) -> None:
    emulator.faults.set(rule(when=when, hold=True))
    body = tmp_path / "body.json"
    body.write_text('{"name": "made"}' + " " * padding)

    client = subprocess.Popen([sys.executable, "-c", _CLIENT, emulator.url + _BUCKETS, str(body)])
    emulator.faults.wait("rule")
    at_the_hit = made(wire)
    client.kill()
    client.wait()
    until(lambda: held(emulator) == 0)

    assert at_the_hit == made(wire) == acted


def held(emulator: Emulator) -> int:
    return sum(rule["held"] for rule in emulator.faults.listed())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_held_request_goes_on_once_its_rule_is_gone(
    emulator: Emulator, wire: Wire, pool: ThreadPoolExecutor, when: str
) -> None:
    emulator.faults.set(rule(when=when, hold=True))

    answer = pool.submit(create, emulator.url)
    emulator.faults.wait("rule")
    was_held = not answer.done()
    emulator.faults.clear()

    assert was_held
    assert answer.result().status_code == 200
    assert made(wire)


def test_others_are_served_while_one_is_held(
    emulator: Emulator, wire: Wire, pool: ThreadPoolExecutor
) -> None:
    emulator.faults.set(rule(nth=1, hold=True))

    first = pool.submit(create, emulator.url)
    emulator.faults.wait("rule")
    second = create(emulator.url)
    emulator.faults.clear()

    assert second.status_code == 200
    assert first.result().status_code == 409  # it came first, and acted second


@pytest.mark.parametrize("fault", [{"hold": True}, {"delay": 600}], ids=str)
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_held_or_delayed_does_not_keep_the_emulator_from_closing(
    tmp_path: Path, pool: ThreadPoolExecutor, when: str, fault: dict[str, Any]
) -> None:
    with Emulator(tmp_path / "emulator", trainer="nearest") as emulator:
        emulator.faults.set(rule(when=when, **fault))
        answer = pool.submit(create, emulator.url)
        emulator.faults.wait("rule")
        closing = time.monotonic()
    closed = time.monotonic()

    with pytest.raises(requests.ConnectionError):
        answer.result()
    assert closed - closing < 5


def test_a_held_request_does_not_keep_the_daemon_from_ending(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".vertune" / "emulator"
    folder.mkdir(parents=True)
    (folder / "faults.yaml").write_text("- {name: rule, path: /storage/*, hold: true}")
    found = daemon.start(folder, trainer="nearest", root=tmp_path)
    try:
        answer = pool.submit(create, found.url)
        FaultsClient(found.url).wait("rule")
    finally:
        monkeypatch.setattr(daemon, "_STOP_SECONDS", 60.0)
        stopping = time.monotonic()
        daemon.stop(folder)

    with pytest.raises(requests.ConnectionError):
        answer.result()
    assert time.monotonic() - stopping < 50  # it was not killed in the end


def test_the_nth_request_and_so_many_after_it_are_hit(emulator: Emulator) -> None:
    emulator.faults.set(rule(nth=2, times=2, status=503))

    statuses = [create(emulator.url).status_code for _ in range(4)]

    assert statuses == [200, 503, 503, 409]
    assert [(one["seen"], one["hits"]) for one in emulator.faults.listed()] == [(4, 2)]


def test_of_requests_at_once_exactly_as_many_are_hit(
    emulator: Emulator, pool: ThreadPoolExecutor
) -> None:
    emulator.faults.set(Rule("rule", path="/", nth=10, times=30, status=503))

    answers = pool.map(lambda _: requests.get(emulator.url, timeout=20), range(100))

    assert [answer.status_code for answer in answers].count(503) == 30
    assert [(one["seen"], one["hits"]) for one in emulator.faults.listed()] == [(100, 30)]


def test_every_rule_that_is_due_acts_until_one_ends_the_request(
    emulator: Emulator, wire: Wire
) -> None:
    emulator.faults.set(
        Rule("slow", path="/storage/*", delay=0.01, times=1),
        Rule("lost", path="/storage/*", when="after", cut="fin", times=1),
        Rule("refused", path="/storage/*", when="after", status=503, times=1),
    )

    with pytest.raises(requests.ConnectionError):
        create(emulator.url)

    assert made(wire)
    assert [one["hits"] for one in emulator.faults.listed()] == [1, 1, 0]


def test_a_header_is_a_rule_for_its_own_request(emulator: Emulator, wire: Wire) -> None:
    refused = create(emulator.url, fault="{status: 503, when: after}")

    assert refused.status_code == 503
    assert "by this request's header" in refused.json()["error"]["message"]
    assert made(wire)


def test_a_header_that_is_no_rule_is_refused_with_every_problem(
    emulator: Emulator, wire: Wire
) -> None:
    answer = create(emulator.url, fault="{status: 99, cut: 'no', wen: after}")

    message = answer.json()["error"]["message"]
    assert answer.status_code == 400
    assert [line.split(":")[1].strip() for line in message.splitlines()] == [
        "cut",
        "only one of status, cut can become of a request",
        "status",
        "wen",
    ]
    assert not made(wire)


def test_calls_of_a_batch_are_hit_one_by_one(emulator: Emulator) -> None:
    client = storage.Client(
        "vertune-local", AnonymousCredentials(), client_options={"api_endpoint": emulator.url}
    )
    bucket = client.create_bucket("made")
    for name in "abc":
        bucket.blob(name).upload_from_string(name)
    emulator.faults.set(Rule(method="DELETE", path="*/o/*", nth=2, status=503))

    with client.batch(raise_exception=False) as batch:
        for name in "abc":
            bucket.delete_blob(name)
    left = [blob.name for blob in bucket.list_blobs()]
    client.close()

    assert [answer.status_code for answer in batch._responses] == [204, 503, 204]
    assert left == ["b"]


def test_googles_client_overcomes_an_answer_that_was_lost(emulator: Emulator) -> None:
    client = storage.Client(
        "vertune-local", AnonymousCredentials(), client_options={"api_endpoint": emulator.url}
    )
    client.create_bucket("made")
    emulator.faults.set(
        Rule(method="GET", nth=1, when="after", cut="rst"), Rule(method="GET", nth=2, status=503)
    )

    found = client.get_bucket("made")
    client.close()

    assert found.name == "made"
    assert [one["hits"] for one in emulator.faults.listed()] == [1, 1]
