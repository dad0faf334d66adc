"""ServiceAccounts: accounts of the IAM API and the policy that says who may act as them."""

import base64
import re
from typing import Any

from jobs.emulator.errors import ApiError, conflict, invalid, not_found, rpc_error
from jobs.emulator.masks import camel
from jobs.emulator.policies import Policies
from jobs.emulator.principals import Principals
from jobs.emulator.projects import Projects
from jobs.emulator.shapes import a_number, a_text, an_object
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_ID = re.compile(r"(?=.{6,30}$)[a-z](?:[-a-z0-9]*[a-z0-9])")
_COLLECTION = "/v1/projects/{project}/serviceAccounts"
_ACCOUNT = _COLLECTION + "/{account}"
_CHANGEABLE = {"displayName", "description"}

Account = dict[str, Any]


class ServiceAccounts:
    def __init__(
        self, state: State, projects: Projects, principals: Principals, policies: Policies
    ) -> None:
        self._state, self._projects = state, projects
        self._principals, self._policies = principals, policies

    def routes(self) -> list[Route]:
        return [
            Route("POST", _COLLECTION, self._create),
            Route("GET", _COLLECTION, self._list),
            Route("POST", _ACCOUNT + ":getIamPolicy", self._get_policy),
            Route("POST", _ACCOUNT + ":setIamPolicy", self._set_policy),
            Route("POST", _ACCOUNT + ":enable", lambda request: self._switch(request, False)),
            Route("POST", _ACCOUNT + ":disable", lambda request: self._switch(request, True)),
            Route("GET", _ACCOUNT, self._find),
            Route("PATCH", _ACCOUNT, self._patch),
            Route("DELETE", _ACCOUNT, self._delete),
        ]

    def _create(self, request: Request) -> Answer:
        project = self._projects.find(request.params["project"])
        body = request.json()
        account_id, wanted = a_text(body, "accountId"), an_object(body, "serviceAccount")
        if not _ID.fullmatch(account_id):
            raise invalid(
                f"Invalid account ID {account_id!r}: 6 to 30 lower-case letters, digits and"
                " hyphens, a letter first and no hyphen last."
            )
        email = f"{account_id}@{project.id}.iam.gserviceaccount.com"
        with self._state.transaction():
            if self._principals.accounts.get(email):
                raise conflict(
                    f"Service account {account_id} already exists within project"
                    f" projects/{project.id}."
                )
            return self._store(
                {
                    "name": f"projects/{project.id}/serviceAccounts/{email}",
                    "projectId": project.id,
                    # Twenty-one digits as in the cloud, where none starts with a zero.
                    "uniqueId": f"{self._state.microsecond():021d}",
                    "email": email,
                    "oauth2ClientId": f"{self._state.microsecond():021d}",
                }
                | {key: text for key in _CHANGEABLE if (text := a_text(wanted, key))}
            )

    def _list(self, request: Request) -> Answer:
        project = self._projects.find(request.params["project"])
        accounts = self._principals.accounts.list()
        return {"accounts": [one for one in accounts if one["projectId"] == project.id]}

    def _find(self, request: Request) -> Account:
        name, project = request.params["account"], request.params["project"]
        account = self._principals.account(name)
        if project != "-":
            project = self._projects.find(project).id
        if account is None or project not in ("-", account["projectId"]):
            raise not_found(f"Unknown service account: {name}")
        return account

    def _patch(self, request: Request) -> Answer:
        body = request.json()
        wanted = an_object(body, "serviceAccount")
        mask = {camel(field) for field in a_text(body, "updateMask").split(",") if field}
        if not mask or not mask <= _CHANGEABLE:
            raise invalid("updateMask must name display_name, description or both.")
        with self._state.transaction():
            account = self._find(request)
            if wanted.get("etag", account["etag"]) != account["etag"]:
                raise _stale()
            kept = {key: value for key, value in account.items() if key not in mask}
            return self._store(kept | {key: text for key in mask if (text := a_text(wanted, key))})

    def _switch(self, request: Request, disabled: bool) -> Answer:
        with self._state.transaction():
            account = self._find(request)
            account.pop("disabled", None)
            self._store(account | ({"disabled": True} if disabled else {}))
        return {}

    def _delete(self, request: Request) -> Answer:
        with self._state.transaction():
            account = self._find(request)
            self._principals.accounts.delete(account["email"])
            self._policies.delete(account["name"])
            self._policies.forget(account["email"], account["uniqueId"])
        return {}

    def _get_policy(self, request: Request) -> Answer:
        name = "options.requestedPolicyVersion"
        version = a_number(request.first(name), name, 1)
        return self._policies.get(self._find(request)["name"], version)

    def _set_policy(self, request: Request) -> Answer:
        policy = an_object(request.json(), "policy")
        with self._state.transaction():
            return self._policies.set(self._find(request)["name"], policy)

    def _store(self, account: Account) -> Account:
        stamp = self._state.microsecond().to_bytes(8, "big")
        account = account | {"etag": base64.b64encode(stamp).decode()}
        self._principals.accounts.put(account["email"], account)
        return account


def _stale() -> ApiError:
    return rpc_error("ABORTED", "The service account was changed since its etag was read.")
