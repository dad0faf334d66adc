"""Projects: what exists from the start, their IAM policies and billing information."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.emulator.access.closed import Closed
from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.policies import Policies
from jobs.emulator.shapes import a_number, a_text, an_object
from jobs.emulator.wire import Answer, Request, Route

# By id; neither is a number of a project of Google Cloud.
LOCAL_PROJECTS: Mapping[str, str] = {"vertune-local": "0", "vertune-local-prod": "1"}

_CREATED = "2026-01-01T00:00:00Z"
_MASK = "bindings,etag"


@dataclass(frozen=True)
class Project:
    id: str
    number: str


class Projects:
    """Found by id or number; any other is forbidden, as the cloud says of what it will not show."""

    def __init__(self, policies: Policies, numbers: Mapping[str, str], closed: Closed) -> None:
        self._policies, self._closed = policies, closed
        self._by_name = {
            name: Project(id, number) for id, number in numbers.items() for name in (id, number)
        }

    def find(self, name: str) -> Project:
        if project := self._by_name.get(name):
            return project
        raise forbidden(f"project {name}")

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/projects/{project}", self._get),
            Route("GET", "/v1/projects/{project}/billingInfo", self._billing),
            Route("PUT", "/v1/projects/{project}/billingInfo", self._bill),
            Route("POST", "/v1/projects/{project}:getIamPolicy", self._get_policy),
            Route("POST", "/v1/projects/{project}:setIamPolicy", self._set_policy),
        ]

    def _get(self, request: Request) -> Answer:
        project = self.find(request.params["project"])
        return {
            "projectId": project.id,
            "projectNumber": project.number,
            "name": project.id,
            "lifecycleState": "ACTIVE",
            "createTime": _CREATED,
        }

    def _billing(self, request: Request) -> Answer:
        project = self.find(request.params["project"])
        return _info(project, "")

    def _bill(self, request: Request) -> Answer:
        """Linked to an account, or to none; which one is not kept, for nobody pays here."""
        project = self.find(request.params["project"])
        account = a_text(request.json(), "billingAccountName") or ""
        self._closed.bill(project.id, account)
        return _info(project, account)

    def _get_policy(self, request: Request) -> Answer:
        project = self.find(request.params["project"])
        name, options = "requestedPolicyVersion", an_object(request.json(), "options")
        version = a_number(options.get(name), name, 1)
        return self._policies.get(f"projects/{project.id}", version)

    def _set_policy(self, request: Request) -> Answer:
        project = self.find(request.params["project"])
        resource, body = f"projects/{project.id}", request.json()
        policy = an_object(body, "policy")
        if "auditConfigs" not in (a_text(body, "updateMask") or _MASK):
            policy = {**policy, "auditConfigs": self._policies.get(resource).get("auditConfigs")}
        return self._policies.set(resource, policy)


def _info(project: Project, account: str) -> Answer:
    return {
        "name": f"projects/{project.id}/billingInfo",
        "projectId": project.id,
        "billingAccountName": account,
        "billingEnabled": bool(account),
    }


def forbidden(what: str) -> ApiError:
    """How the cloud refuses what is missing and what is not yours alike."""
    return rpc_error("PERMISSION_DENIED", f"Permission denied on {what} (or it may not exist).")
