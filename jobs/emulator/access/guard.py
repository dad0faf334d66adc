"""Guard: lets a call through to its handler if its caller has the permissions it needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from jobs.emulator.access import calls, current, expressions, resources
from jobs.emulator.access.callers import Caller, Callers
from jobs.emulator.access.closed import Closed
from jobs.emulator.access.denial import denied
from jobs.emulator.access.resources import Resource
from jobs.emulator.access.roles import Roles
from jobs.emulator.errors import ApiError, rpc_error
from jobs.emulator.policies import Policies
from jobs.emulator.wire import Answer, Request, Route

Bindings = Sequence[Mapping[str, Any]]
BucketPolicy = Callable[[str], tuple[str, Bindings] | None]  # its project, and its bindings

_BASIC = (("projectOwner", "owner"), ("projectEditor", "editor"), ("projectViewer", "viewer"))


class Guard:
    """The one place that decides; a project's policy counts for all that is in the project."""

    def __init__(
        self,
        callers: Callers,
        roles: Roles,
        policies: Policies,
        bucket_policy: BucketPolicy,
        numbers: Mapping[str, str],
        closed: Closed,
    ) -> None:
        self._callers, self._roles, self._policies = callers, roles, policies
        self._bucket_policy, self._closed = bucket_policy, closed
        self._ids = {name: id for id, number in numbers.items() for name in (id, number)}

    def over(self, routes: Iterable[Route]) -> list[Route]:
        return [replace(one, handler=partial(self._guarded, one)) for one in routes]

    def _guarded(self, route: Route, request: Request) -> Answer:
        caller, needed = self._callers.of(request), calls.needed(route)
        if needed is None and not caller.owns_all:
            raise _not_entered(route)
        with current.asking(partial(self._refusal, caller)):
            for permission in needed or ():
                current.require(permission, resources.of(request))
            return route.handler(request)

    def _refusal(self, caller: Caller, permission: str, resource: Resource) -> ApiError | None:
        if self._closed and (closed := self._closed_to(permission, resource)):
            return closed
        if caller.owns_all or self._may(caller, permission, resource):
            return None
        return denied(caller.name, permission, resource)

    def _closed_to(self, permission: str, resource: Resource) -> ApiError | None:
        found = self._policy_of(resource)
        return self._closed.refusal(permission, found[0]) if found else None

    def _may(self, caller: Caller, permission: str, resource: Resource) -> bool:
        found = self._policy_of(resource)
        if found is None:
            return True  # it is not there, which its handler says better
        project, own = found
        projects = self._bindings(f"projects/{project}") if project else ()
        mine = {one["role"] for one in projects if _is_for(one, caller.members, resource)}
        basic = {f"{member}:{project}" for member, role in _BASIC if f"roles/{role}" in mine}
        members = caller.members | basic
        return any(
            permission in self._roles.permissions(binding["role"])
            for binding in (*own, *projects)
            if _is_for(binding, members, resource)
        )

    def _policy_of(self, resource: Resource) -> tuple[str, Bindings] | None:
        """The project a resource is in, and the bindings of its own policy."""
        if resource.bucket is not None:
            return self._bucket_policy(resource.bucket)
        if resource.project is None:
            return "", self._bindings(resource.name)  # of no project: a billing account
        project = self._ids.get(resource.project)
        if project is None:
            return None
        rest = resource.name.split("/")[2:]
        return project, self._bindings("/".join(["projects", project, *rest])) if rest else ()

    def _bindings(self, name: str) -> Bindings:
        bindings: Bindings = self._policies.get(name, 3).get("bindings", ())
        return bindings


def _is_for(binding: Mapping[str, Any], members: frozenset[str], resource: Resource) -> bool:
    if members.isdisjoint(binding["members"]):
        return False
    condition = binding.get("condition")
    if condition is None:
        return True
    variables = {
        "resource": {
            "name": resource.name,
            "type": resource.type,
            "service": resource.type.partition("/")[0],
        },
        "request": {"time": datetime.now(UTC)},
        "api": dict(resource.attributes),
    }
    return expressions.holds(str(condition.get("expression", "")), variables)


def _not_entered(route: Route) -> ApiError:
    return rpc_error(
        "PERMISSION_DENIED",
        f"The emulator does not know which permission {calls.entry(route)} needs: it answers the"
        " owner only.",
    )
