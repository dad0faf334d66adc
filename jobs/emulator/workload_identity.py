"""WorkloadIdentity: pools and providers by which another issuer's tokens stand for principals."""

from typing import Any

from jobs.emulator import masks
from jobs.emulator.access import expressions
from jobs.emulator.errors import ApiError, conflict, invalid, not_found
from jobs.emulator.operations import Operations
from jobs.emulator.projects import Projects
from jobs.emulator.shapes import an_object
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools"
_POOL = _POOLS + "/{pool}"
_PROVIDERS = _POOL + "/providers"
_PROVIDER = _PROVIDERS + "/{provider}"
_ISSUERS = ("oidc", "aws", "saml", "x509")

Body = dict[str, Any]


class WorkloadIdentity:
    """Deletes for good: the cloud keeps a deleted id for thirty days, a local stack reuses it."""

    def __init__(self, state: State, projects: Projects, operations: Operations) -> None:
        self._state, self._projects, self._operations = state, projects, operations
        self._documents = state.documents("workload identity")

    def routes(self) -> list[Route]:
        return [
            Route("POST", _POOLS, self._create_pool),
            Route("GET", _POOLS, self._list_pools),
            Route("GET", _POOL + ":listAttestationRules", self._rules),
            Route("POST", _PROVIDERS, self._create_provider),
            Route("GET", _PROVIDERS, self._list_providers),
            *(
                Route(method, pattern, handler)
                for pattern in (_PROVIDER, _POOL)
                for method, handler in (
                    ("GET", self._get),
                    ("PATCH", self._patch),
                    ("DELETE", self._delete),
                )
            ),
        ]

    def active(self, name: str) -> Body | None:
        """A provider that may be used, by its full name: neither it nor its pool is disabled."""
        pool = self._documents.get(name.partition("/providers/")[0])
        provider = self._documents.get(name) if "/providers/" in name else None
        if pool is None or provider is None or pool.get("disabled") or provider.get("disabled"):
            return None
        return provider

    def _create_pool(self, request: Request) -> Answer:
        id = request.first("workloadIdentityPoolId")
        return self._create(f"{self._pools(request)}/{_needed(id, 'workloadIdentityPoolId')}",
                            request.json())  # fmt: skip

    def _create_provider(self, request: Request) -> Answer:
        id = request.first("workloadIdentityPoolProviderId")
        body = request.json()
        if sum(issuer in body for issuer in _ISSUERS) != 1:
            raise invalid("A provider needs exactly one of oidc, aws, saml and x509.")
        _check_expressions(body)
        with self._state.transaction():
            pool = self._found(self._name(request))["name"]
            name = f"{pool}/providers/{_needed(id, 'workloadIdentityPoolProviderId')}"
            return self._create(name, body)

    def _create(self, name: str, body: Body) -> Body:
        with self._state.transaction():
            if self._documents.get(name):
                raise conflict("Requested entity already exists")
            body = body | {"name": name, "state": "ACTIVE"}
            self._documents.put(name, body)
        return self._operations.done(f"{name}/", body)

    def _list_pools(self, request: Request) -> Answer:
        parent = self._pools(request)
        return {"workloadIdentityPools": self._children(parent)}

    def _list_providers(self, request: Request) -> Answer:
        parent = f"{self._found(self._name(request))['name']}/providers"
        return {"workloadIdentityPoolProviders": self._children(parent)}

    def _children(self, parent: str) -> list[Body]:
        depth = parent.count("/") + 1
        return [
            one for one in self._documents.list(f"{parent}/") if one["name"].count("/") == depth
        ]

    def _rules(self, request: Request) -> Answer:
        self._found(self._name(request))
        return {}

    def _get(self, request: Request) -> Answer:
        return self._found(self._name(request))

    def _patch(self, request: Request) -> Answer:
        body, mask = request.json(), _needed(request.first("updateMask"), "updateMask")
        with self._state.transaction():
            document = self._found(self._name(request))
            masks.apply(mask, body, document)
            _check_expressions(document)
            self._documents.put(document["name"], document)
        return self._operations.done(f"{document['name']}/", document)

    def _delete(self, request: Request) -> Answer:
        with self._state.transaction():
            document = self._found(self._name(request))
            for one in [document, *self._documents.list(f"{document['name']}/")]:
                self._documents.delete(one["name"])
        return self._operations.done(f"{document['name']}/", document | {"state": "DELETED"})

    def _found(self, name: str) -> Body:
        if document := self._documents.get(name):
            return document
        raise _missing()

    def _pools(self, request: Request) -> str:
        number = self._projects.find(request.params["project"]).number
        return f"projects/{number}/locations/global/workloadIdentityPools"

    def _name(self, request: Request) -> str:
        name = f"{self._pools(request)}/{request.params['pool']}"
        provider = request.params.get("provider")
        return f"{name}/providers/{provider}" if provider else name


def _check_expressions(provider: Body) -> None:
    condition, mapping = provider.get("attributeCondition"), an_object(provider, "attributeMapping")
    for one in (*mapping.values(), *([condition] if condition else ())):
        expressions.check(str(one))


def _missing() -> ApiError:
    return not_found("Requested entity was not found.")


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise invalid(f"{name} is missing.")
    return value
