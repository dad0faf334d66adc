"""Services: which APIs a project has enabled, and the service agents they bring."""

import re
from typing import Any

from jobs.emulator.access.closed import Closed
from jobs.emulator.errors import invalid, rpc_error
from jobs.emulator.operations import Operations
from jobs.emulator.principals import Principals
from jobs.emulator.projects import Project, Projects
from jobs.emulator.shapes import a_number, texts
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_NAME = re.compile(r"[a-z][a-z0-9-]*\.googleapis\.com")
_COLLECTION = "/v1/projects/{project}/services"
_BATCH = 20
_TYPE = "type.googleapis.com/google.api.serviceusage."
_AGENTS = {"storage.googleapis.com": "gs-project-accounts"}  # the others are named by their API


class Services:
    def __init__(
        self,
        state: State,
        projects: Projects,
        principals: Principals,
        operations: Operations,
        closed: Closed,
    ) -> None:
        self._state, self._projects, self._closed = state, projects, closed
        self._principals, self._operations = principals, operations
        self._enabled = state.documents("enabled service")

    def routes(self) -> list[Route]:
        return [
            Route("GET", _COLLECTION, self._list),
            Route("GET", _COLLECTION + "/{service}", self._get),
            Route("POST", _COLLECTION + ":batchEnable", self._batch_enable),
            Route("POST", _COLLECTION + "/{service}:enable", self._enable),
            Route("POST", _COLLECTION + "/{service}:disable", self._disable),
            Route(
                "POST",
                "/v1beta1/projects/{project}/services/{service}:generateServiceIdentity",
                self._identity,
            ),
        ]

    def enabled(self, project: Project, service: str) -> bool:
        return self._enabled.get(f"{project.id}/{service}") is not None

    def _list(self, request: Request) -> Answer:
        """Only enabled ones are known here: a list of all that exist has no filter to be asked."""
        project = self._projects.find(request.params["project"])
        if request.first("filter") != "state:ENABLED":
            raise rpc_error("UNIMPLEMENTED", "The emulator lists services by state:ENABLED only.")
        size = min(a_number(request.first("pageSize"), "pageSize", 50) or 50, 200)
        after = request.first("pageToken") or ""
        found = self._enabled.list(f"{project.id}/", f"{project.id}/{after}", size + 1)
        answer: dict[str, Any] = {"services": found[:size]}
        if len(found) > size:
            answer["nextPageToken"] = found[size - 1]["config"]["name"]
        return answer

    def _get(self, request: Request) -> Answer:
        project, service = self._named(request)
        return self._describe(project, service)

    def _enable(self, request: Request) -> Answer:
        project, service = self._named(request)
        response = {"@type": f"{_TYPE}v1.EnableServiceResponse"}
        return self._operations.done(
            "", response | {"service": self._switch_on(project, [service])[0]}
        )

    def _batch_enable(self, request: Request) -> Answer:
        project = self._projects.find(request.params["project"])
        names = texts(request.json(), "serviceIds")
        if not 1 <= len(names) <= _BATCH:
            raise invalid(f"serviceIds must name 1 to {_BATCH} services.")
        response = {"@type": f"{_TYPE}v1.BatchEnableServicesResponse"}
        return self._operations.done(
            "", response | {"services": self._switch_on(project, [_known(one) for one in names])}
        )

    def _disable(self, request: Request) -> Answer:
        project, service = self._named(request)
        self._enabled.delete(f"{project.id}/{service}")
        self._closed.close(project.id, service)
        response = {"@type": f"{_TYPE}v1.DisableServiceResponse"}
        return self._operations.done("", response | {"service": self._describe(project, service)})

    def _identity(self, request: Request) -> Answer:
        project, service = self._named(request)
        name = _AGENTS.get(service, "gcp-sa-" + service.removesuffix(".googleapis.com"))
        email = self._principals.agent(project.number, name)
        return self._operations.done(
            "", {"@type": f"{_TYPE}v1beta1.ServiceIdentity", "email": email, "uniqueId": email}
        )

    def _switch_on(self, project: Project, services: list[str]) -> list[dict[str, Any]]:
        with self._state.transaction():
            for service in services:
                body = self._describe(project, service) | {"state": "ENABLED"}
                self._enabled.put(f"{project.id}/{service}", body)
                self._closed.open(project.id, service)
        return [self._describe(project, service) for service in services]

    def _describe(self, project: Project, service: str) -> dict[str, Any]:
        return {
            "name": f"projects/{project.number}/services/{service}",
            "config": {"name": service},
            "state": "ENABLED" if self.enabled(project, service) else "DISABLED",
            "parent": f"projects/{project.number}",
        }

    def _named(self, request: Request) -> tuple[Project, str]:
        project = self._projects.find(request.params["project"])
        return project, _known(request.params["service"])


def _known(service: str) -> str:
    if not _NAME.fullmatch(service):
        raise rpc_error(
            "PERMISSION_DENIED", f"Not found or permission denied for service(s): {service}."
        )
    return service
