"""Service and ServiceIdentity: an enabled API, and the service agent it acts as."""

from typing import ClassVar

from jobs.emulator.provider.client import Client, Values, segment
from jobs.emulator.provider.resource import Input, Resource, project_of


class Service(Resource):
    token = "gcp:projects/service:Service"
    inputs: ClassVar = {
        "service": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
        "disableOnDestroy": Input(local=True),
        "disableDependentServices": Input(local=True),
    }
    outputs = frozenset({"project"})

    def foresee(self, client: Client, inputs: Values) -> Values:
        return {"project": project_of(client, inputs)}

    def create(self, client: Client, inputs: Values) -> str:
        project, service = project_of(client, inputs), str(inputs["service"])
        client.call(
            "POST", f"/v1/projects/{segment(project)}/services/{segment(service)}:enable", {}
        )
        return f"{project}/{service}"

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        project, _, service = id.rpartition("/")
        project = project or client.project
        if service not in self._enabled(client, project):
            return None
        return f"{project}/{service}", {"project": project, "service": service}

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        """Nothing of it but what steers the provider can change."""

    def delete(self, client: Client, id: str, state: Values) -> None:
        if not state.get("disableOnDestroy"):
            return
        project, _, service = id.rpartition("/")
        body = {
            "disableDependentServices": bool(state.get("disableDependentServices")),
            "checkIfServiceHasUsage": "SKIP",
        }
        path = f"/v1/projects/{segment(project)}/services/{segment(service)}:disable"
        client.call("POST", path, body)

    def _enabled(self, client: Client, project: str) -> set[str]:
        names, token = set[str](), ""
        query = {"filter": "state:ENABLED", "pageSize": "200"}
        query["fields"] = "services/name,nextPageToken"
        while True:
            page = query | ({"pageToken": token} if token else {})
            answer = client.call("GET", f"/v1/projects/{segment(project)}/services", query=page)
            names |= {one["name"].rpartition("/")[2] for one in answer.get("services", [])}
            token = answer.get("nextPageToken", "")
            if not token:
                return names


class ServiceIdentity(Resource):
    """Can only be asked for: the cloud has no call that reads or deletes one."""

    token = "gcp:projects/serviceIdentity:ServiceIdentity"
    inputs: ClassVar = {
        "service": Input(required=True, replaces=True),
        "project": Input(replaces=True, filled=True),
    }
    outputs = frozenset({"project", "email", "member"})

    def foresee(self, client: Client, inputs: Values) -> Values:
        return {"project": project_of(client, inputs)}

    def create(self, client: Client, inputs: Values) -> str:
        return f"projects/{project_of(client, inputs)}/services/{inputs['service']}"

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        if known.get("email"):
            return id, known
        _, project, _, service = id.split("/")
        answer = client.call("POST", f"/v1beta1/{id}:generateServiceIdentity")
        email = answer["response"]["email"]
        agent = {"email": email, "member": f"serviceAccount:{email}"}
        return id, agent | {"project": project, "service": service}

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        raise AssertionError("every input of a service identity replaces it")

    def delete(self, client: Client, id: str, state: Values) -> None:
        """Stays, as in the cloud."""
