"""Client: the right service, the right credentials; nobody waits in vain or is left to guess."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from google import genai
from google.oauth2.credentials import Credentials

from jobs.emulator.emulator import Emulator
from jobs.runner import client, remote
from jobs.runner.errors import RemoteError, Unreachable
from jobs.runner.lease import lease
from jobs.runner.vertex import Vertex
from tests.runner import lines, shell
from tests.runner.asking import JOB, PROJECT, answer, opened, order, refusal

# Where calls go


@pytest.mark.parametrize("location", ["us-central1", "europe-west4", "us", "eu"])
def test_a_cloud_stack_is_served_by_google_whatever_the_shell_is_pointed_at(
    location: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    its_own = genai.Client(
        vertexai=True, project=PROJECT, location=location, credentials=Credentials(token="x")
    )
    shell.pointed_at(monkeypatch, emulator.url)
    client: Any = opened(None, location)._client._api_client
    usual: Any = its_own._api_client
    assert client._http_options.base_url == usual._http_options.base_url
    assert client._http_options.base_url.endswith("googleapis.com/")
    assert client._http_options.api_version == usual._http_options.api_version
    assert client._credentials.service_account_email == shell.ACCOUNT


def test_the_emulators_key_is_refused_for_google_cloud(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path, issuer=emulator.url)
    with pytest.raises(Unreachable, match="is the emulator's key"):
        opened(None)


def test_the_local_stack_asks_the_emulator_whatever_the_shell_is_pointed_at(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, lines.nobody())
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    monkeypatch.setenv("GOOGLE_API_KEY", "key")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "global")
    assert opened(emulator.url).jobs({}) == []


# Failures


def _submit(service: Vertex) -> object:
    return service.submit(order())


def _job(service: Vertex) -> object:
    return service.job(JOB)


def _jobs(service: Vertex) -> object:
    return service.jobs({})


def _cancel(service: Vertex) -> object:
    service.cancel(JOB)
    return None


def _ask(service: Vertex) -> object:
    return service.generate("gemini-3.1-flash-lite", "x", None, 8)


every_call = pytest.mark.parametrize("call", [_submit, _job, _jobs, _cancel, _ask])
Call = Callable[[Vertex], object]


@every_call
def test_where_nobody_listens_a_call_fails_at_once(call: Call) -> None:
    url, start = lines.nobody(), time.monotonic()
    with pytest.raises(Unreachable) as error:
        call(opened(url))
    assert time.monotonic() - start < 5
    assert str(error.value).endswith(
        f": the emulator at {url} does not answer (nobody listens there);"
        " start it with `vertune emulator start`"
    )


@every_call
@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_given_up(call: Call) -> None:
    with lines.silent() as url:
        service, start = opened(url), time.monotonic()
        with pytest.raises(Unreachable, match=r"does not answer .* busy.* with VERTUNE_PATIENCE=4"):
            call(service)
        assert time.monotonic() - start < 5


@pytest.mark.usefixtures("impatient")
def test_the_time_for_a_create_is_shared_by_all_that_it_takes() -> None:
    with lines.silent() as url, pytest.raises(Unreachable) as error:
        opened(url).submit(order(), seconds=0.5)
    timeout = error.value.__cause__
    assert isinstance(timeout, httpx.ReadTimeout)
    assert 0 < timeout.request.extensions["timeout"]["read"] < 0.5  # less what connecting took


def test_what_could_not_be_sent_in_its_time_is_not_sent() -> None:
    over = {"connect": 1.0, "write": 1.0, "read": 0.0001, "pool": None}
    request = httpx.Request("POST", lines.nobody(), extensions={"timeout": over})
    client.in_all(request)
    with pytest.raises(httpx.ReadTimeout, match="its time is over"):
        request.extensions["trace"]("http11.send_request_headers.started", {})


def test_waits_for_a_silent_service_are_short() -> None:
    assert 2 * remote.timeout() <= 30
    assert lease(simulated=False).acting <= 30
    assert remote.timeout() < remote.repeats() < 2 * remote.timeout() + 1  # no third wait begins


@every_call
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b""])
def test_another_protocol_is_no_answer(call: Call, said: bytes) -> None:
    with lines.saying(said) as url, pytest.raises(Unreachable, match="does not answer"):
        call(opened(url))


@pytest.mark.parametrize("call", [_submit, _job, _jobs, _ask])
@pytest.mark.parametrize(
    "said",
    [
        lines.http(200, "<html>a captive portal</html>", "text/html"),
        answer({"name": 7, "tuningJobs": [{"name": 7}], "candidates": "many"}),
    ],
)
def test_another_content_is_no_answer(call: Call, said: bytes) -> None:
    with lines.saying(said) as url, pytest.raises(Unreachable, match="does not answer"):
        call(opened(url))


@pytest.mark.parametrize(
    "passing", [b"", refusal(503, "UNAVAILABLE", "Wait."), refusal(429, "", "")]
)
def test_a_question_is_asked_again_when_the_service_was_busy(passing: bytes) -> None:
    with lines.saying(passing, answer({"name": JOB})) as url:
        assert opened(url).job(JOB).name == JOB


@pytest.mark.usefixtures("soon_done")
def test_a_service_that_stays_busy_is_named_with_what_it_said() -> None:
    busy = refusal(503, "UNAVAILABLE", "Wait.")
    with lines.saying(busy) as url, pytest.raises(RemoteError) as error:
        opened(url).job(JOB)
    assert str(error.value) == (f"reading {JOB}: 503 UNAVAILABLE: Wait.; run this again in a while")


@every_call
@pytest.mark.parametrize(
    ("status", "reason", "way_out"),
    [
        (401, "UNAUTHENTICATED", "; run `gcloud auth application-default login`"),
        (403, "PERMISSION_DENIED", "; `vertune doctor` says whose credentials are in use"),
        (400, "FAILED_PRECONDITION", ""),
    ],
)
def test_a_refusal_is_said_in_the_services_words(
    call: Call, status: int, reason: str, way_out: str
) -> None:
    said = refusal(status, reason, "So it is.")
    with lines.saying(said) as url, pytest.raises(RemoteError) as error:
        call(opened(url))
    assert str(error.value).endswith(f": {status} {reason}: So it is.{way_out}")


@pytest.mark.parametrize(
    "body", [{"error": "invalid"}, {"error": {"details": [{"@type": "x"}]}}, [], "no", None]
)
def test_a_refusal_of_any_shape_is_a_refusal(body: Any) -> None:
    with lines.saying(answer(body, 400)) as url, pytest.raises(RemoteError, match="400"):
        opened(url).job(JOB)
