"""Storage: Cloud Storage as the ledger and the datasets use it, through Google's own client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobs.runner.errors import NotProvisioned, RemoteError, Unreachable

if TYPE_CHECKING:  # the import costs about a second: commands that need no bucket do without
    from google.cloud.storage import Bucket

_CLOUD = "https://storage.googleapis.com"
_PATIENCE = 30.0  # seconds of retries for one call


class Changed(RemoteError):
    """A conditional write that lost: the object is not in the generation that was read."""


def bucket(name: str, project: str, endpoint: str | None) -> Bucket:
    """A bucket's handle; no call is made. `endpoint` None is Google Cloud, whatever else is set."""
    from google.auth.credentials import Credentials
    from google.cloud import storage

    credentials: Credentials | None = None
    if endpoint is not None:
        from google.oauth2.credentials import Credentials as Token

        credentials = Token(token="local")
    client = storage.Client(
        project=project,
        credentials=credentials,
        client_options={"api_endpoint": endpoint or _CLOUD},
    )
    return client.bucket(name)


def retry() -> Any:
    """Retries of calls that are safe to repeat, for at most half a minute."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(_PATIENCE)


@contextmanager
def doing(what: str, bucket: Bucket) -> Iterator[None]:
    """Turn what Google's client raises into errors that say what was done, and the way out."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except exceptions.PreconditionFailed as error:
        raise Changed(412, "conditionNotMet", error.message, what) from error
    except exceptions.GoogleAPICallError as error:
        if error.code == 404 and "bucket does not exist" in error.message.lower():
            raise NotProvisioned(
                f"{what}: there is no bucket gs://{bucket.name}; run `pulumi up` for this stack"
            ) from error
        raise RemoteError(error.code or 0, error.reason or "", error.message, what) from error
    except GoogleAuthError as error:
        raise Unreachable(
            f"{what}: no usable Google credentials ({error}); run `gcloud auth application-default"
            " login`, or see `vertune doctor`"
        ) from error
    except (exceptions.RetryError, RequestException) as error:
        raise Unreachable(
            f"{what}: gs://{bucket.name} does not answer ({type(error).__name__});"
            " see `vertune doctor`"
        ) from error
