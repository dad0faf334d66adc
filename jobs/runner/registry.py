"""Registry: tuned models as the service keeps them, over Google's authorised session.

Its generated client makes the same calls, but to import it costs each command 3.4 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jobs.runner import client, remote
from jobs.runner.errors import RemoteError
from jobs.runner.vertex import location_of

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

_VERSION = "v1"
_PAGE = 100


@dataclass(frozen=True)
class Model:
    """One version of a tuned model."""

    name: str  # with its version
    aliases: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Endpoint:
    name: str
    deployed: tuple[str, ...]  # tuned models, with their versions


class Registry:
    """Every resource is asked for by its whole name, in the location that stands in it."""

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint

    @cached_property
    def _session(self) -> AuthorizedSession:
        from google.auth.transport.requests import AuthorizedSession

        session = AuthorizedSession(remote.credentials(self._endpoint))
        if self._endpoint is not None:
            session.trust_env = False  # a proxy must not come between this machine and itself
        return session

    def model(self, name: str) -> Model | None:
        """A version of a tuned model, None if there is none."""
        try:
            found = self._call(f"reading {name}", "GET", name)
        except RemoteError as error:
            if error.status != 404:
                raise
            return None
        return _model(found)

    def models(self, parent: str) -> list[Model]:
        """The default version of every model of a location."""
        return [_model(one) for one in self._listed(parent, "models")]

    def endpoint(self, name: str) -> Endpoint | None:
        try:
            found = self._call(f"reading {name}", "GET", name)
        except RemoteError as error:
            if error.status != 404:
                raise
            return None
        return _endpoint(found)

    def endpoints(self, parent: str) -> list[Endpoint]:
        return [_endpoint(one) for one in self._listed(parent, "endpoints")]

    def _listed(self, parent: str, kind: str) -> Iterator[Mapping[str, Any]]:
        page: str | None = ""
        while page is not None:
            path = f"{parent}/{kind}?pageSize={_PAGE}&pageToken={quote(page, safe='')}"
            found = self._call(f"listing the {kind} of {parent}", "GET", path)
            yield from found.get(kind, ())
            page = found.get("nextPageToken") or None

    def give(self, model: Model, alias: str) -> None:
        """Put an alias on a version; the model's other versions lose it."""
        if alias not in model.aliases:
            self._merge(model, alias)

    def take(self, model: Model, alias: str) -> None:
        if alias in model.aliases:
            self._merge(model, f"-{alias}")

    def _merge(self, model: Model, alias: str) -> None:
        path = f"{model.name}:mergeVersionAliases"
        self._call(f"moving an alias of {model.name}", "POST", path, {"versionAliases": [alias]})

    def _call(self, doing: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Repeated while it may pass: whatever is called here may be called twice."""
        from google.api_core.exceptions import RetryError, from_http_response
        from google.api_core.retry import Retry

        origin = (self._endpoint or client.cloud(location_of(path))).rstrip("/")

        def once() -> dict[str, Any]:
            answer = self._session.request(
                method, f"{origin}/{_VERSION}/{path}", json=body, timeout=remote.timeout()
            )
            if answer.status_code >= 400:
                raise from_http_response(answer)
            return dict(answer.json())

        again = Retry(predicate=_passing, initial=1.0, maximum=8.0, timeout=remote.repeats())
        with self._doing(doing):
            try:
                return again(once)()
            except RetryError as error:
                raise error.cause or error from error

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from requests.exceptions import RequestException

        try:
            yield
        except GoogleAPICallError as error:
            raise remote.refusal(what, int(error.code or 0), *_said(error)) from error
        except (TransportError, RequestException, OSError) as error:
            raise remote.unanswered(what, "Vertex AI", self._endpoint, error) from error
        except GoogleAuthError as error:
            raise remote.no_credentials(what, error) from error


def _passing(error: BaseException) -> bool:
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import TransportError
    from requests.exceptions import RequestException

    if isinstance(error, GoogleAPICallError):
        return error.code in remote.PASSING
    return isinstance(error, TransportError | RequestException) and not remote.refused(error)


def _said(error: Any) -> tuple[str, str]:
    """The service's own reason and message."""
    try:
        said = error.response.json()["error"]
        return str(said["status"]), str(said["message"])
    except (AttributeError, ValueError, LookupError, TypeError):
        return "", str(error.message)


def _model(found: Mapping[str, Any]) -> Model:
    return Model(
        name=f"{found['name']}@{found['versionId']}",
        aliases=tuple(found.get("versionAliases", ())),
        labels=found.get("labels", {}),
    )


def _endpoint(found: Mapping[str, Any]) -> Endpoint:
    deployed = found.get("deployedModels", ())
    return Endpoint(
        name=str(found["name"]),
        deployed=tuple(f"{one['model']}@{one.get('modelVersionId', '1')}" for one in deployed),
    )
