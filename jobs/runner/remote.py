"""Remote: who calls to Google's services are made as, how long they wait, and their failures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jobs.runner.errors import Passing, Quota, RemoteError, Unreachable, VertuneError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

# A service that accepts a call and never answers is given up after the second wait.
_ANSWER = 15.0  # seconds for one answer
_REPEATS = 30.0  # seconds of repeats for one call that is safe to repeat
_PATIENCE = "VERTUNE_PATIENCE"  # a factor on every wait: more on a slow network, less in tests
PASSING = frozenset({408, 429, 500, 502, 503, 504})  # statuses that may be gone the next time

IMPERSONATE = "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"  # Pulumi's Google provider goes by it too
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

    In place of the account that IMPERSONATE names, if any. Raises Unreachable if there are none.
    All clients share them: a token that one had renewed is not awaited by the next.
    """
    return _shared(endpoint, os.environ.get(IMPERSONATE), os.environ.get(_KEY_FILE))


@cache
def _shared(endpoint: str | None, account: str | None, _file: str | None) -> Credentials:
    found = _of_this_shell() if endpoint is None else _of_an_emulator(endpoint)
    return _impersonating(account, found, endpoint) if account else found


def renewed(endpoint: str | None) -> bool:
    """Another token in the place of one that was refused; False where there is no other."""
    from google.auth.transport.requests import Request

    if endpoint is not None and not (os.environ.get(IMPERSONATE) or exchanges(endpoint)):
        return False
    credentials(endpoint).refresh(Request())
    return True


def acting_as() -> str | None:
    """The service account whose place this shell takes, where that can be told without a call."""
    if account := os.environ.get(IMPERSONATE):
        return account
    address = str(_key_file().get("service_account_impersonation_url", ""))
    return address.rpartition("/")[2].partition(":")[0] or None


def _impersonating(account: str, source: Credentials, endpoint: str | None) -> Credentials:
    from google.auth.impersonated_credentials import Credentials as Impersonated

    path = f"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    where = endpoint + path if endpoint else None
    made: Credentials = Impersonated(source, account, [_SCOPE], iam_endpoint_override=where)
    return made if endpoint is None else _its_token_alone(made)


def exchanges(endpoint: str | None) -> bool:
    """Whether the shell's key file exchanges a pipeline's token at this very emulator."""
    return endpoint is not None and str(_key_file().get("token_url", "")).startswith(endpoint)


def _of_an_emulator(endpoint: str) -> Credentials:
    """The owner's, or a pipeline's by its own token."""
    if exchanges(endpoint):
        from google.auth.identity_pool import Credentials as Exchanged

        file = os.environ[_KEY_FILE]
        return _its_token_alone(Exchanged.from_file(file, scopes=[_SCOPE]))
    from google.oauth2.credentials import Credentials as Token

    return Token(token="local")


def _its_token_alone(source: Credentials) -> Credentials:
    """Used directly, it would ask Google where the account may be used from: not of an emulator."""
    from google.oauth2.credentials import Credentials as Token

    def fresh(request: Any, scopes: Any) -> tuple[str, Any]:
        source.refresh(request)
        return str(source.token), source.expiry

    return Token(token=None, refresh_handler=fresh)


def _of_this_shell() -> Credentials:
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    path = os.environ.get(_KEY_FILE)
    if any(on_loopback(str(_key_file().get(key))) for key in ("token_uri", "token_url")):
        raise Unreachable(
            f"{_KEY_FILE} is the emulator's key, which is worth nothing on Google Cloud;"
            f" open a new shell, or `unset {_KEY_FILE}`"
        )
    try:
        found, _ = google.auth.default(scopes=[_SCOPE])
    except (GoogleAuthError, OSError, ValueError, AttributeError) as error:  # of any key file
        raise no_credentials(f"signing in with {path}" if path else "signing in", error) from error
    return found


def _key_file() -> dict[str, Any]:
    """What the shell's key file says; nothing if there is none that can be read."""
    try:
        key = json.loads(Path(os.environ.get(_KEY_FILE, "")).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return key if isinstance(key, dict) else {}


def refused(error: BaseException | None) -> bool:
    """Whether nobody listens at all, which no waiting mends."""
    for _ in range(_DEEPEST):
        if error is None or isinstance(error, ConnectionRefusedError):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, ConnectionRefusedError)


def no_credentials(doing: str, error: Exception) -> Unreachable:
    if (account := acting_as()) and (said := _said(error)):
        if said.startswith("Not found"):
            return Unreachable(
                f"{doing}: {account} is not there ({said}); if it was deleted,"
                " `pulumi up --refresh` of its stack makes it anew"
            )
        return Unreachable(
            f"{doing}: this shell may not take the place of {account} ({said}); ask for"
            f" roles/iam.serviceAccountTokenCreator on it, or unset {IMPERSONATE}"
        )
    why = " ".join(str(error.args[0] if error.args else error).split()).partition(". ")[0]
    return Unreachable(f"{doing}: no usable Google credentials ({why}); {_LOGIN}")


def _said(error: Exception) -> str | None:
    """The message of the service that refused a token, which Google's library hands on as text."""
    try:
        return str(json.loads(error.args[1])["error"]["message"])
    except (LookupError, TypeError, ValueError):
        return None


def unanswered(doing: str, where: str, endpoint: str | None, error: BaseException) -> Unreachable:
    """`where` is what the service is called."""
    inner = next((arg for arg in error.args if isinstance(arg, Exception)), error)
    why = "nobody listens there" if refused(error) else type(inner).__name__
    if endpoint is not None:
        way_out = "start it with `vertune emulator start`"
        if not refused(error):  # it runs, and the line was cut, or it is slow
            way_out = (
                f"run this again, on a busy machine with {_PATIENCE}=4;"
                " `vertune emulator status` says whether it still runs"
            )
        return Unreachable(
            f"{doing}: the emulator at {endpoint} does not answer ({why}); {way_out}"
        )
    return Unreachable(
        f"{doing}: {where} does not answer ({why}); check the network, then run this again"
    )


# What the services say of a project that is closed to everybody, and the way out.
_CLOSED = (
    (
        "has not been used in project",
        "`pulumi up --refresh` of this stack enables what the stack needs",
    ),
    (
        "requires billing to be enabled",
        "`gcloud billing projects link PROJECT --billing-account ACCOUNT` links one",
    ),
    (
        "billing account for the owning project is disabled",
        "`gcloud billing projects link PROJECT --billing-account ACCOUNT` links one",
    ),
)


def _closed(message: str) -> str | None:
    return next((way_out for words, way_out in _CLOSED if words in message), None)


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
    elif status == 403 and (way_out := _closed(message)):
        message = f"{message.rstrip('.')}; {way_out}"
    elif status == 403:
        who = acting_as()
        doctor = "`vertune doctor` says whose credentials are in use"
        message += f"; asked as {who}" if who else f"; {doctor}"
    elif _passes(status):
        message += "; run this again in a while"
    kind = Quota if status == 429 else Passing if _passes(status) else RemoteError
    return kind(status, reason, message, doing, tuple(violations))


def _passes(status: int) -> bool:
    """Whether it tells of a failure, also one of what lies between, and not of a refusal."""
    return status in PASSING or status == 499 or status >= 500
