"""Guardrails: notification channels, alert policies and budgets, kept as they were sent.

Nothing is watched, so no alert is ever raised and no budget ever spent.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from jobs.emulator import masks
from jobs.emulator.errors import invalid, not_found
from jobs.emulator.policies import Policies
from jobs.emulator.projects import Projects
from jobs.emulator.shapes import an_object
from jobs.emulator.state import Documents, State
from jobs.emulator.wire import Answer, Request, Route

Body = dict[str, Any]

_ACCOUNT = "/v1/billingAccounts/{billing}"


@dataclass(frozen=True)
class Kind:
    """`needs`: fields without which the service refuses one."""

    collection: str
    address: str
    needs: tuple[str, ...]
    new_id: Callable[[], str]
    tagged: bool = False


def _digits() -> str:
    return str(secrets.randbelow(10**18) + 10**18)


KINDS = (
    Kind("notificationChannels", "/v3/projects/{project}", ("type",), _digits),
    Kind("alertPolicies", "/v3/projects/{project}", ("displayName", "combiner"), _digits),
    Kind("budgets", _ACCOUNT, ("amount",), partial(secrets.token_hex, 16), tagged=True),
)


class Guardrails:
    def __init__(self, state: State, projects: Projects, policies: Policies) -> None:
        self._state, self._projects, self._policies = state, projects, policies

    def routes(self) -> list[Route]:
        calls = {"POST": self._create, "GET": self._list}
        of_one = {"GET": self._get, "PATCH": self._patch, "DELETE": self._delete}
        routes = [
            Route("GET", f"{_ACCOUNT}:getIamPolicy", self._get_policy),
            Route("POST", f"{_ACCOUNT}:setIamPolicy", self._set_policy),
        ]
        for kind in KINDS:
            path = f"{kind.address}/{kind.collection}"
            routes += [Route(method, path, partial(call, kind)) for method, call in calls.items()]
            path += "/{id}"
            routes += [Route(method, path, partial(call, kind)) for method, call in of_one.items()]
        return routes

    def _create(self, kind: Kind, request: Request) -> Answer:
        name = f"{self._parent(request)}/{kind.collection}/{kind.new_id()}"
        return self._store(kind, name, request.json())

    def _list(self, kind: Kind, request: Request) -> Answer:
        return {kind.collection: self._documents(kind).list(f"{self._parent(request)}/")}

    def _get(self, kind: Kind, request: Request) -> Body:
        name = f"{self._parent(request)}/{kind.collection}/{request.params['id']}"
        if found := self._documents(kind).get(name):
            return found
        raise not_found(f"{name} was not found.")

    def _patch(self, kind: Kind, request: Request) -> Answer:
        """Without a mask all of it is replaced."""
        body, mask = request.json(), request.first("updateMask")
        with self._state.transaction():
            found = self._get(kind, request)
            if mask:
                changed = dict(found)
                masks.apply(mask, body, changed)
            else:
                changed = body
            return self._store(kind, found["name"], changed)

    def _delete(self, kind: Kind, request: Request) -> Answer:
        with self._state.transaction():
            self._documents(kind).delete(self._get(kind, request)["name"])
        return {}

    def _store(self, kind: Kind, name: str, body: Body) -> Body:
        if lacking := [field for field in kind.needs if not body.get(field)]:
            raise invalid(f"{', '.join(lacking)} must be set.")
        stored = {**body, "name": name, **_named(body, name)}
        if kind.tagged:
            stored["etag"] = secrets.token_hex(8)
        self._documents(kind).put(name, stored)
        return stored

    def _documents(self, kind: Kind) -> Documents:
        return self._state.documents(kind.collection)

    def _parent(self, request: Request) -> str:
        if "billing" in request.params:
            return f"billingAccounts/{request.params['billing']}"
        return f"projects/{self._projects.find(request.params['project']).id}"

    def _get_policy(self, request: Request) -> Answer:
        return self._policies.get(self._parent(request), 3)

    def _set_policy(self, request: Request) -> Answer:
        return self._policies.set(self._parent(request), an_object(request.json(), "policy"))


def _named(body: Mapping[str, Any], name: str) -> Body:
    """An alert policy's conditions have names of their own, and it says when it was changed."""
    if "conditions" not in body:
        return {}
    now = {"mutateTime": datetime.now(UTC).isoformat(), "mutatedBy": "local"}
    conditions = body["conditions"]
    if not isinstance(conditions, list) or not all(isinstance(one, dict) for one in conditions):
        raise invalid("conditions must be a list of conditions.")
    numbered = enumerate(conditions, 1)
    return {
        "conditions": [{"name": f"{name}/conditions/{at}", **one} for at, one in numbered],
        "creationRecord": body.get("creationRecord", now),
        "mutationRecord": now,
    }
