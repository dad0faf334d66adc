"""Storage: Cloud Storage as the ledger and the datasets use it, through Google's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobs.runner import remote
from jobs.runner.errors import NotProvisioned, RemoteError, VertuneError

if TYPE_CHECKING:  # the import costs about a second: commands that need no bucket do without
    from google.api_core.exceptions import GoogleAPICallError
    from google.cloud.storage import Bucket

OpenBucket = Callable[[str], "Bucket"]  # by its name

_CLOUD = "https://storage.googleapis.com"


class Changed(RemoteError):
    """A conditional write that lost: the object is not in the generation that was read."""


def bucket(name: str, project: str, endpoint: str | None) -> Bucket:
    """A bucket's handle; no call is made. `endpoint` None is Google Cloud, whatever else is set.

    Raises Unreachable without credentials.
    """
    from google.auth.transport.requests import AuthorizedSession
    from google.cloud import storage

    # Given, not left to the client: it would go without any once STORAGE_EMULATOR_HOST is set.
    credentials = remote.credentials(endpoint)
    session = None
    if endpoint is not None:
        session = AuthorizedSession(credentials)
        session.trust_env = False  # a proxy must not come between this machine and itself
    client = storage.Client(
        project=project,
        credentials=credentials,
        client_options={"api_endpoint": endpoint or _CLOUD},
        _http=session,
    )
    return client.bucket(name)


def retry() -> Any:
    """Retries of calls that are safe to repeat, while somebody listens, for half a minute."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    passing = DEFAULT_RETRY._predicate

    def worth_it(error: BaseException) -> bool:
        return bool(passing(error)) and not remote.refused(error)

    patient = DEFAULT_RETRY.with_delay(initial=remote.patient(1.0), maximum=remote.patient(8.0))
    return patient.with_timeout(remote.repeats()).with_predicate(worth_it)


@contextmanager
def doing(what: str, bucket: Bucket) -> Iterator[None]:
    """Turn what Google's client raises into errors that say what was done, and the way out."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError, TransportError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except GoogleAPICallError as error:
        raise _refusal(what, bucket, error) from error
    except RetryError as error:
        if isinstance(error.cause, GoogleAPICallError):
            raise _refusal(what, bucket, error.cause) from error
        raise _unanswered(what, bucket, error.cause or error) from error
    except (TransportError, RequestException, HTTPError, ConnectionError, TimeoutError) as error:
        raise _unanswered(what, bucket, error) from error
    except GoogleAuthError as error:
        raise remote.no_credentials(what, error) from error
    except OSError as error:  # of a file that is read or kept meanwhile
        raise VertuneError(f"{what}: {error.strerror or error}") from error


def no_bucket(error: GoogleAPICallError) -> bool:
    """Whether a 404 is about the bucket and not about an object in it."""
    return error.code == 404 and "bucket does not exist" in error.message.lower()


def _refusal(what: str, bucket: Bucket, error: GoogleAPICallError) -> NotProvisioned | RemoteError:
    if no_bucket(error):
        return NotProvisioned(
            f"{what}: there is no bucket gs://{bucket.name}; run `pulumi up` for this stack"
        )
    code = int(error.code or 0)
    reason, message = _said(error)
    if code == 412:
        return Changed(code, reason, message, what)
    return remote.refusal(what, code, reason, message)


def _said(error: GoogleAPICallError) -> tuple[str, str]:
    """The service's own reason and message; the client wraps those of an upload in its own."""
    try:
        body = error.response.json()["error"]
        return str(body["errors"][0]["reason"]), str(body["message"])
    except (AttributeError, ValueError, LookupError, TypeError):
        return error.response.reason if error.response is not None else "", error.message


def _unanswered(what: str, bucket: Bucket, error: BaseException) -> Exception:
    endpoint = str(bucket.client.api_endpoint)
    emulator = endpoint if remote.on_loopback(endpoint) else None
    return remote.unanswered(what, f"gs://{bucket.name}", emulator, error)
