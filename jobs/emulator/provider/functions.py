"""Functions: look-ups a program makes without a resource of its own."""

from collections.abc import Callable, Mapping

from jobs.emulator.provider.client import Client, Values, segment

Function = Callable[[Client, Values], Values]


def get_project(client: Client, args: Values) -> Values:
    id = str(args.get("projectId") or client.project)
    project = client.call("GET", f"/v1/projects/{segment(id)}")
    billing = client.call("GET", f"/v1/projects/{segment(id)}/billingInfo")
    labels = project.get("labels", {})
    return {
        "id": f"projects/{project['projectId']}",
        "projectId": project["projectId"],
        "number": project["projectNumber"],
        "name": project["name"],
        "billingAccount": billing.get("billingAccountName", "").removeprefix("billingAccounts/"),
        "labels": labels,
        "effectiveLabels": labels,
        "pulumiLabels": labels,
        "autoCreateNetwork": True,
        "deletionPolicy": "PREVENT",
        "folderId": "",
        "orgId": "",
        "tags": {},
    }


def get_storage_account(client: Client, args: Values) -> Values:
    project = str(args.get("project") or client.project)
    account = client.call("GET", f"/storage/v1/projects/{segment(project)}/serviceAccount")
    email = account["email_address"]
    return {
        "id": email,
        "emailAddress": email,
        "member": f"serviceAccount:{email}",
        "project": project,
    }


FUNCTIONS: Mapping[str, Function] = {
    "gcp:organizations/getProject:getProject": get_project,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": get_storage_account,
}
