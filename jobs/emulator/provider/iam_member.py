"""Members: one member of one role in the policy of a project, an account or a bucket."""

import threading
import time
from collections.abc import Callable
from typing import ClassVar

from jobs.emulator.provider.client import Client, Refused, Values, segment
from jobs.emulator.provider.resource import Input, Resource

_ATTEMPTS = 8
_STALE = (409, 412)
_KEPT = ("etag", "auditConfigs")
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
        self._change(client, address, lambda bindings: _with(bindings, inputs))
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
            self._change(client, address, lambda bindings: _without(bindings, state))
        except Refused as refused:
            if refused.status != 404:
                raise

    def _change(
        self, client: Client, address: str, change: Callable[[list[Values]], list[Values]]
    ) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with _LOCK:
                    policy = self.read_policy(client, address)
                    before = policy.get("bindings", [])
                    after = change(before)
                    if after != before:
                        kept = {key: policy[key] for key in _KEPT if key in policy}
                        bindings = {"bindings": after} if after else {}
                        self.write_policy(client, address, kept | bindings | {"version": 3})
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


class AccountMember(Member):
    token = "gcp:serviceaccount/iAMMember:IAMMember"
    holder = "serviceAccountId"
    inputs: ClassVar = _inputs("serviceAccountId")

    def read_policy(self, client: Client, address: str) -> Values:
        version = {"options.requestedPolicyVersion": "3"}
        return client.call("POST", f"/v1/{address}:getIamPolicy", query=version)

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


def _with(bindings: list[Values], inputs: Values) -> list[Values]:
    if any(_holds(one, inputs) for one in bindings):
        return bindings
    one: Values = {"role": inputs["role"], "members": []}
    if inputs.get("condition"):
        one["condition"] = inputs["condition"]
    one = next((each for each in bindings if _bound(each, inputs)), one)
    joined = one | {"members": [*one["members"], inputs["member"]]}
    return [*(each for each in bindings if each is not one), joined]


def _without(bindings: list[Values], inputs: Values) -> list[Values]:
    left = []
    for binding in bindings:
        if _holds(binding, inputs):
            gone = inputs["member"].lower()
            members = [one for one in binding["members"] if one.lower() != gone]
            binding = binding | {"members": members}
        if binding["members"]:
            left.append(binding)
    return left
