"""Members: one member of one role in the policy of a project, an account or a bucket."""

import threading
import time
from collections.abc import Callable
from typing import ClassVar

from jobs.emulator.provider.client import Client, Refused, Values, segment
from jobs.emulator.provider.resource import Input, Resource

_ATTEMPTS = 8
_STALE = (409, 412)
_KEPT = ("etag", "bindings", "auditConfigs")
_LOCK = threading.Lock()  # one cycle at a time in this process; other processes meet the etag


class Member(Resource):
    """Subclasses say whose policy it is and how it is read and written."""

    holder: str  # the input that names whose policy it is
    outputs = frozenset({"etag"})

    def address(self, client: Client, inputs: Values) -> str:
        """The id of the policy's owner, which starts the member's own id."""
        return str(inputs[self.holder])

    def read_policy(self, client: Client, address: str) -> Values:
        raise NotImplementedError

    def write_policy(self, client: Client, address: str, policy: Values) -> Values:
        raise NotImplementedError

    def create(self, client: Client, inputs: Values) -> str:
        address = self.address(client, inputs)
        self._change(client, address, lambda policy: _with(policy, inputs))
        return "/".join([address, inputs["role"], inputs["member"], *_title(inputs)])

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        inputs = known or self._imported(id)
        address = self.address(client, inputs)
        try:
            policy = self.read_policy(client, address)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        if not any(_holds(one, inputs) for one in policy.get("bindings", [])):
            return None
        given = {name: inputs[name] for name in self.inputs if name in inputs}
        own = "/".join([address, inputs["role"], inputs["member"], *_title(inputs)])
        return own, given | {"etag": policy["etag"]}

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        raise AssertionError("every input of a member replaces it")

    def delete(self, client: Client, id: str, state: Values) -> None:
        address = self.address(client, state)
        try:
            self._change(client, address, lambda policy: _without(policy, state))
        except Refused as refused:
            if refused.status != 404:
                raise

    def _change(self, client: Client, address: str, change: Callable[[Values], Values]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with _LOCK:
                    policy = self.read_policy(client, address)
                    changed = policy | change(policy)
                    if changed != policy:
                        kept = {key: changed[key] for key in _KEPT if changed.get(key)}
                        self.write_policy(client, address, kept | {"version": 3})
                return
            except Refused as refused:
                if refused.status not in _STALE or attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.05 * 2**attempt)

    def _imported(self, id: str) -> Values:
        """`OWNER ROLE MEMBER`, as the genuine provider takes it."""
        owner, role, member = id.split(" ")
        return {self.holder: owner.removeprefix("b/"), "role": role, "member": member}


def _inputs(holder: str) -> dict[str, Input]:
    return {
        holder: Input(required=True, replaces=True),
        "role": Input(required=True, replaces=True),
        "member": Input(required=True, replaces=True, any_case=True),
        "condition": Input(replaces=True),
    }


class ProjectMember(Member):
    token = "gcp:projects/iAMMember:IAMMember"
    holder = "project"
    inputs: ClassVar = _inputs("project")

    def read_policy(self, client: Client, address: str) -> Values:
        options = {"options": {"requestedPolicyVersion": 3}}
        return client.call("POST", f"/v1/projects/{segment(address)}:getIamPolicy", options)

    def write_policy(self, client: Client, address: str, policy: Values) -> Values:
        body = {"policy": policy, "updateMask": "bindings,etag,auditConfigs"}
        return client.call("POST", f"/v1/projects/{segment(address)}:setIamPolicy", body)


class AuditConfig(ProjectMember):
    """Which calls of one service the project's policy has written down."""

    token = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
    inputs: ClassVar = {
        "project": Input(required=True, replaces=True),
        "service": Input(required=True, replaces=True),
        "auditLogConfigs": Input(required=True),
    }

    def create(self, client: Client, inputs: Values) -> str:
        wanted = {key: inputs[key] for key in ("service", "auditLogConfigs")}
        self._set(client, inputs, [wanted])
        return f"{inputs['project']}/audit_config/{inputs['service']}"

    def observe(self, client: Client, id: str, known: Values) -> tuple[str, Values] | None:
        project, _, service = id.replace(" ", "/audit_config/").partition("/audit_config/")
        policy = self.read_policy(client, project)
        found = [one for one in policy.get("auditConfigs", []) if one["service"] == service]
        if not found:
            return None
        state = {"project": project, "etag": policy["etag"], **found[0]}
        return f"{project}/audit_config/{service}", state

    def update(self, client: Client, id: str, old: Values, new: Values) -> None:
        self.create(client, new)

    def delete(self, client: Client, id: str, state: Values) -> None:
        self._set(client, state, [])

    def _set(self, client: Client, inputs: Values, wanted: list[Values]) -> None:
        def change(policy: Values) -> Values:
            before = policy.get("auditConfigs", [])
            return {
                "auditConfigs": [
                    *(one for one in before if one["service"] != inputs["service"]),
                    *wanted,
                ]
            }

        self._change(client, str(inputs["project"]), change)


class AccountMember(Member):
    token = "gcp:serviceaccount/iAMMember:IAMMember"
    holder = "serviceAccountId"
    inputs: ClassVar = _inputs("serviceAccountId")

    def read_policy(self, client: Client, address: str) -> Values:
        version = {"options.requestedPolicyVersion": "3"}
        return client.call("POST", f"/v1/{address}:getIamPolicy", query=version)

    def write_policy(self, client: Client, address: str, policy: Values) -> Values:
        return client.call("POST", f"/v1/{address}:setIamPolicy", {"policy": policy})


class KeyMember(Member):
    token = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
    holder = "cryptoKeyId"
    inputs: ClassVar = _inputs("cryptoKeyId")

    def read_policy(self, client: Client, address: str) -> Values:
        version = {"options.requestedPolicyVersion": "3"}
        return client.call("GET", f"/v1/{address}:getIamPolicy", query=version)

    def write_policy(self, client: Client, address: str, policy: Values) -> Values:
        return client.call("POST", f"/v1/{address}:setIamPolicy", {"policy": policy})


class BucketMember(Member):
    token = "gcp:storage/bucketIAMMember:BucketIAMMember"
    holder = "bucket"
    inputs: ClassVar = _inputs("bucket")

    def address(self, client: Client, inputs: Values) -> str:
        return "b/" + str(inputs["bucket"]).removeprefix("b/")

    def read_policy(self, client: Client, address: str) -> Values:
        version = {"optionsRequestedPolicyVersion": "3"}
        return client.call("GET", f"/storage/v1/{address}/iam", query=version)

    def write_policy(self, client: Client, address: str, policy: Values) -> Values:
        return client.call("PUT", f"/storage/v1/{address}/iam", policy)


def _title(inputs: Values) -> list[str]:
    condition = inputs.get("condition")
    return [condition["title"]] if condition else []


def _bound(binding: Values, inputs: Values) -> bool:
    return binding["role"] == inputs["role"] and (
        (binding.get("condition") or None) == (inputs.get("condition") or None)
    )


def _holds(binding: Values, inputs: Values) -> bool:
    members = {member.lower() for member in binding["members"]}
    return _bound(binding, inputs) and inputs["member"].lower() in members


def _with(policy: Values, inputs: Values) -> Values:
    bindings = policy.get("bindings", [])
    if any(_holds(one, inputs) for one in bindings):
        return {}
    one: Values = {"role": inputs["role"], "members": []}
    if inputs.get("condition"):
        one["condition"] = inputs["condition"]
    one = next((each for each in bindings if _bound(each, inputs)), one)
    joined = one | {"members": [*one["members"], inputs["member"]]}
    return {"bindings": [*(each for each in bindings if each is not one), joined]}


def _without(policy: Values, inputs: Values) -> Values:
    left = []
    for binding in policy.get("bindings", []):
        if _holds(binding, inputs):
            gone = inputs["member"].lower()
            members = [one for one in binding["members"] if one.lower() != gone]
            binding = binding | {"members": members}
        if binding["members"]:
            left.append(binding)
    return {"bindings": left} if "bindings" in policy else {}
