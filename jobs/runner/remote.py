"""Remote: who calls to Google's services are made as, how long they wait, and their failures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.runner.errors import Passing, Quota, RemoteError, Unreachable, VertuneError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

# A service that accepts a call and never answers is given up after the second wait.
_ANSWER = 15.0  # seconds for one answer
_REPEATS = 30.0  # seconds of repeats for one call that is safe to repeat
_PATIENCE = "VERTUNE_PATIENCE"  # a factor on every wait: more on a slow network, less in tests
PASSING = frozenset({408, 429, 500, 502, 503, 504})  # statuses that may be gone the next time

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_LONGEST = 2000  # characters of an answer that was not meant for people
_DEEPEST = 20  # causes of an error; one may come round to itself
_LOGIN = "run `gcloud auth application-default login`"


def patient(seconds: float) -> float:
    """A wait as this shell wants it. Raises VertuneError for a factor that is none."""
    given = os.environ.get(_PATIENCE, "1")
    try:
        factor = float(given)
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 1000:
        raise VertuneError(
            f"{_PATIENCE} is {given!r}; give a factor from 0.001 to 1000, or unset it"
        )
    return seconds * factor


def timeout() -> float:
    return patient(_ANSWER)


def repeats() -> float:
    return patient(_REPEATS)


def on_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, as the emulator's must."""
    try:
        return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False


def credentials(endpoint: str | None) -> Credentials:
    """Google's of this shell, or for an emulator some that are worth nothing anywhere else.

    Raises Unreachable if there are none to use.
    """
    if endpoint is not None:
        from google.oauth2.credentials import Credentials as Token

        return Token(token="local")
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    path = os.environ.get(_KEY_FILE)
    if _key_of_an_emulator(path):
        raise Unreachable(
            f"{_KEY_FILE} is the emulator's key, which is worth nothing on Google Cloud;"
            f" open a new shell, or `unset {_KEY_FILE}`"
        )
    try:
        found, _ = google.auth.default(scopes=[_SCOPE])
    except (GoogleAuthError, OSError, ValueError, AttributeError) as error:  # of any key file
        raise no_credentials(f"signing in with {path}" if path else "signing in", error) from error
    return found


def _key_of_an_emulator(path: str | None) -> bool:
    try:
        key = json.loads(Path(path or "").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(key, dict) and on_loopback(str(key.get("token_uri")))


def refused(error: BaseException | None) -> bool:
    """Whether nobody listens at all, which no waiting mends."""
    for _ in range(_DEEPEST):
        if error is None or isinstance(error, ConnectionRefusedError):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, ConnectionRefusedError)


def no_credentials(doing: str, error: Exception) -> Unreachable:
    why = " ".join(str(error.args[0] if error.args else error).split()).partition(". ")[0]
    return Unreachable(f"{doing}: no usable Google credentials ({why}); {_LOGIN}")


def unanswered(doing: str, where: str, endpoint: str | None, error: BaseException) -> Unreachable:
    """`where` is what the service is called."""
    inner = next((arg for arg in error.args if isinstance(arg, Exception)), error)
    why = "nobody listens there" if refused(error) else type(inner).__name__
    if endpoint is not None:
        return Unreachable(
            f"{doing}: the emulator at {endpoint} does not answer ({why});"
            " start it with `vertune emulator start`"
        )
    return Unreachable(
        f"{doing}: {where} does not answer ({why}); check the network, then run this again"
    )


def refusal(
    doing: str,
    status: int,
    reason: str,
    message: str,
    violations: Iterable[tuple[str, str]] = (),
) -> RemoteError:
    """A service's refusal, with the way out where the status tells it."""
    message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]} …"
    if status == 401:
        message += f"; {_LOGIN}"
    elif status == 403:
        message += "; `vertune doctor` says whose credentials are in use"
    elif status in PASSING:
        message += "; run this again in a while"
    kind = Quota if status == 429 else Passing if status in PASSING else RemoteError
    return kind(status, reason, message, doing, tuple(violations))
