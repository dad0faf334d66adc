"""Registry: tuned models and endpoints as the service keeps them, over Google's own session.

Its generated client makes the same calls, but to import it costs each command 3.4 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jobs.runner import client, remote
from jobs.runner.errors import RemoteError, Unreachable
from jobs.runner.vertex import location_of

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

_VERSION = "v1"
_PAGE = 100
_POLL = 1.0  # seconds
_OPERATION = 300.0
_SETTLING = 60.0


@dataclass(frozen=True)
class Model:
    """One version of a tuned model."""

    name: str  # with its version
    aliases: tuple[str, ...]
    labels: Mapping[str, str]
    endpoints: tuple[str, ...]  # where it is deployed
    base_model: str | None = None
    created: str | None = None


@dataclass(frozen=True)
class Endpoint:
    name: str
    labels: Mapping[str, str]
    deployed: Mapping[str, str]  # id of the deployment -> model with its version


class Registry:
    """Every resource is asked for by its whole name, in the location that stands in it.

    Each call may be made twice: what is gone already counts as deleted.
    """

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
        found = self._found(f"reading {name}", "GET", name)
        return None if found is None else _model(found)

    def endpoint(self, name: str) -> Endpoint | None:
        found = self._found(f"reading {name}", "GET", name)
        return None if found is None else _endpoint(found)

    def models(self, parent: str) -> list[Model]:
        """The default version of every model of a location."""
        return [_model(one) for one in self._listed(parent, "models")]

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

    def copy(self, source: str, parent: str, id: str, kms_key: str | None = None) -> Model:
        """A model of that id in a location; the copy that is there already stays as it is."""
        doing, name = f"copying {source}", f"{parent}/models/{id}@1"
        if there := self.model(name):
            return there
        body: dict[str, Any] = {"sourceModel": source, "modelId": id}
        if kms_key:
            body["encryptionSpec"] = {"kmsKeyName": kms_key}
        self._ended(doing, self._made(doing, f"{parent}/models:copy", body))
        if copied := self.model(name):
            return copied
        raise Unreachable(f"{doing}: it is still under way; run this again in a while")

    def label(self, model: Model, labels: Mapping[str, str]) -> None:
        """These besides what it has."""
        if labels.items() <= model.labels.items():
            return
        body = {"labels": {**model.labels, **labels}}
        self._call(f"labelling {model.name}", "PATCH", f"{model.name}?updateMask=labels", body)

    def serve(self, model: Model, parent: str, id: str, labels: Mapping[str, str]) -> Endpoint:
        """An endpoint of that id with this model deployed to it; what is there stays as it is."""
        doing, name = f"making an endpoint for {model.name}", f"{parent}/endpoints/{id}"
        if self.endpoint(name) is None:
            body: Any = {"displayName": id, "labels": labels}
            self._ended(doing, self._made(doing, f"{parent}/endpoints?endpointId={id}", body))
        found = self.endpoint(name)
        if found and model.name not in found.deployed.values():
            deployed = {"id": "1", "model": model.name, "displayName": id}
            body = {"deployedModel": deployed, "trafficSplit": {"0": 100}}
            self._ended(doing, self._made(doing, f"{name}:deployModel", body))
            found = self.endpoint(name)
        if found and model.name in found.deployed.values():
            return found
        raise Unreachable(f"{doing}: it is still under way; run this again in a while")

    def _made(self, doing: str, path: str, body: Any) -> dict[str, Any] | None:
        """None if it is there already: an earlier answer was lost, or somebody else was faster."""
        try:
            return self._call(doing, "POST", path, body)
        except RemoteError as error:
            if error.reason != "ALREADY_EXISTS":
                raise
            return None

    def undeploy(self, endpoint: Endpoint, id: str) -> None:
        doing = f"undeploying from {endpoint.name}"
        body = {"deployedModelId": id}
        self._ended(doing, self._found(doing, "POST", f"{endpoint.name}:undeployModel", body))

    def delete_endpoint(self, endpoint: Endpoint) -> None:
        self._delete(endpoint.name, endpoint.name)

    def delete_model(self, model: Model) -> None:
        """Only this version where there are others."""
        whole = model.name.partition("@")[0]
        found = self._found(f"reading {whole}", "GET", f"{whole}:listVersions")
        if found is None:
            return
        alone = len(found.get("models", ())) == 1
        self._delete(model.name, whole if alone else f"{model.name}:deleteVersion")

    def _delete(self, name: str, path: str) -> None:
        """For a while after it was undeployed, the service takes a model for deployed still."""
        from google.api_core.exceptions import RetryError

        doing = f"deleting {name}"

        def delete() -> None:
            self._ended(doing, self._found(doing, "DELETE", path))

        again = _again(_not_yet, remote.patient(_SETTLING))
        try:
            again(delete)()
        except RetryError as error:
            raise error.cause or error from error

    def _ended(self, doing: str, operation: dict[str, Any] | None) -> None:
        """Wait for a long-running operation; None is one on what is gone already."""
        deadline = time.monotonic() + remote.patient(_OPERATION)
        while operation is not None and not operation.get("done"):
            if time.monotonic() > deadline:
                raise Unreachable(f"{doing}: it is still under way; run this again in a while")
            time.sleep(remote.patient(_POLL))
            operation = self._call(doing, "GET", str(operation["name"]))
        if operation and (error := operation.get("error")):
            raise remote.refusal(doing, 409, f"code {error.get('code')}", str(error.get("message")))

    def _found(self, doing: str, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        try:
            return self._call(doing, method, path, body)
        except RemoteError as error:
            if error.status != 404:
                raise
            return None

    def _call(self, doing: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Repeated while it may pass."""
        from google.api_core.exceptions import RetryError, from_http_response

        origin = (self._endpoint or client.cloud(location_of(path))).rstrip("/")

        def once() -> dict[str, Any]:
            answer = self._session.request(
                method, f"{origin}/{_VERSION}/{path}", json=body, timeout=remote.timeout()
            )
            if answer.status_code >= 400:
                raise from_http_response(answer)
            found: dict[str, Any] = answer.json()
            return found

        again = _again(_passing, remote.repeats())
        with self._doing(doing):
            try:
                return dict(again(once)())
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


def _again(worth_it: Callable[[BaseException], bool], seconds: float) -> Any:
    from google.api_core.retry import Retry

    first, most = remote.patient(1.0), remote.patient(8.0)
    return Retry(predicate=worth_it, initial=first, maximum=most, timeout=seconds)


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
        endpoints=tuple(one["endpoint"] for one in found.get("deployedModels", ())),
        base_model=_base_model(found),
        created=found.get("versionCreateTime"),
    )


def _base_model(found: Mapping[str, Any]) -> str | None:
    """Its name, without the publisher."""
    source = found.get("baseModelSource", {}).get("genieSource", {})
    return str(source.get("baseModelUri", "")).rpartition("/")[2] or None


def _endpoint(found: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        name=str(found["name"]),
        labels=found.get("labels", {}),
        deployed={
            str(one["id"]): f"{one['model'].partition('@')[0]}@{one.get('modelVersionId', 1)}"
            for one in found.get("deployedModels", ())
        },
    )


def _not_yet(error: BaseException) -> bool:
    return isinstance(error, RemoteError) and error.reason == "FAILED_PRECONDITION"
