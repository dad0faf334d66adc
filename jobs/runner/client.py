"""Client: Google's client of Vertex AI, what of its calls is repeated, its failures in words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from jobs.runner import remote
from jobs.runner.clock import steady

if TYPE_CHECKING:  # the import costs about a second
    import httpx
    from google import genai

T = TypeVar("T")

_SERVICE = "Vertex AI"
_MULTI_REGIONS = ("us", "eu")
_LEAST = 0.001  # seconds; with none at all a socket would not wait, which is another failure
_SENDS = ".send_request_headers.started"  # what the transport calls its steps
_PHASES = (".start_tls.started", _SENDS, ".receive_response_headers.started")


def opened(project: str, location: str, endpoint: str | None) -> genai.Client:
    """No call is made. Raises Unreachable without credentials."""
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=endpoint or cloud(location))
    options.client_args = {"event_hooks": {"request": [in_all]}}
    if endpoint:  # a proxy must not come between this machine and itself
        options.client_args["trust_env"] = False
    return genai.Client(
        vertexai=True,
        project=project,
        location=location,
        credentials=remote.credentials(endpoint),
        http_options=options,
    )


def in_all(request: httpx.Request) -> None:
    """A timeout is of the whole call: to connect, to send and to hear share it.

    Or a create could be sent when its lease is over. What is begun too late is not begun.
    """
    import httpx

    left = request.extensions["timeout"]
    given, began = dict(left), steady()

    def trace(event: str, _: object) -> None:
        if not event.endswith(_PHASES):
            return
        passed = steady() - began
        left.update({key: max(_LEAST, of - passed) for key, of in given.items() if of})
        if event.endswith(_SENDS) and left["read"] == _LEAST:
            raise httpx.ReadTimeout("its time is over", request=request)

    request.extensions["trace"] = trace


def cloud(location: str) -> str:
    """As the client has it. Said here, or GOOGLE_VERTEX_BASE_URL would be asked instead."""
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com/"
    return f"https://{location}-aiplatform.googleapis.com/"


def repeated(call: Callable[[], T], endpoint: str | None) -> T:
    """A call that is safe to repeat, until it passes or patience ends."""
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry

    first, most = remote.patient(1.0), remote.patient(8.0)
    again = Retry(predicate=_passing, initial=first, maximum=most, timeout=remote.repeats())
    try:
        return again(lambda: _signed_in_anew(call, endpoint))()
    except RetryError as error:
        last: BaseException = error.cause or error
    raise last


def _signed_in_anew(call: Callable[[], T], endpoint: str | None) -> T:
    """A token may end before its time, and a run outlives many: the next one is tried once."""
    from google.genai.errors import APIError

    try:
        return call()
    except APIError as error:
        if error.code != 401 or not remote.renewed(endpoint):
            raise
    return call()


def _passing(error: BaseException) -> bool:
    import httpx
    from google.auth.exceptions import TransportError
    from google.genai.errors import APIError

    if isinstance(error, APIError):
        return error.code in remote.PASSING
    return isinstance(error, httpx.TransportError | TransportError) and not remote.refused(error)


@contextmanager
def doing(what: str, endpoint: str | None) -> Iterator[None]:
    """Turn what the client raises into errors that say what was done, and the way out."""
    import httpx
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError, UnknownApiResponseError

    try:
        yield
    except APIError as error:
        violations = _violations(error.details)
        message = (error.message or "") + "".join(f"\n  {f}: {why}" for f, why in violations)
        code, status = int(error.code or 0), error.status or ""
        raise remote.refusal(what, code, status, message, violations) from error
    except (TransportError, httpx.HTTPError, OSError) as error:
        raise remote.unanswered(what, _SERVICE, endpoint, error) from error
    except (UnknownApiResponseError, JSONDecodeError, ValidationError) as error:
        raise remote.unanswered(what, _SERVICE, endpoint, error) from error
    except GoogleAuthError as error:
        raise remote.no_credentials(what, error) from error


def _violations(details: Any) -> list[tuple[str, str]]:
    """The service's fields at fault, each with what is wrong."""
    body = details.get("error") if isinstance(details, dict) else None
    return [
        (str(violation.get("field")), str(violation.get("description")))
        for detail in (body.get("details", []) if isinstance(body, dict) else [])
        for violation in detail.get("fieldViolations", [])
    ]


@contextmanager
def tunings() -> Iterator[None]:
    """The client calls its tuning methods experimental at each use; that is known here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental.*")
        yield
