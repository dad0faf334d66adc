"""Keys of Cloud KMS: that they are there, who may use them, and for which other service.

Nothing is encrypted: what matters here is who is refused.
"""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.access.roles import Roles
from jobs.emulator.errors import ApiError, conflict, invalid, not_found, rpc_error
from jobs.emulator.policies import Policies
from jobs.emulator.projects import Projects
from jobs.emulator.shapes import a_number, an_object
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_RINGS = "/v1/projects/{project}/locations/{location}/keyRings"
_KEYS = f"{_RINGS}/{{ring}}/cryptoKeys"
_ENCRYPTS = "cloudkms.cryptoKeyVersions.useToEncrypt"
_DECRYPTS = "cloudkms.cryptoKeyVersions.useToDecrypt"


class Keys:
    def __init__(self, state: State, projects: Projects, policies: Policies, roles: Roles) -> None:
        self._state, self._projects = state, projects
        self._policies, self._roles = policies, roles
        self._rings, self._keys = state.documents("key ring"), state.documents("key")

    def routes(self) -> list[Route]:
        return [
            Route("POST", _RINGS, self._create_ring),
            Route("GET", f"{_RINGS}/{{ring}}", self._get_ring),
            Route("POST", _KEYS, self._create),
            Route("GET", f"{_KEYS}/{{key}}:getIamPolicy", self._get_policy),
            Route("POST", f"{_KEYS}/{{key}}:setIamPolicy", self._set_policy),
            Route("GET", f"{_KEYS}/{{key}}", self._get),
        ]

    def storage_fault(self, key: str, location: str, agent: str) -> ApiError | None:
        """Why Cloud Storage cannot encrypt with a key what lies in a location."""
        if self._keys.get(key) is None:
            return not_found(f"CryptoKey {key} not found.")
        if key.split("/")[3] != location.lower():
            return invalid(f"The Cloud KMS key {key} must be in the location {location}.")
        if self._may(agent, key, {_ENCRYPTS}):
            return None
        return rpc_error(
            "PERMISSION_DENIED",
            "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service"
            f" account has been authorized to use this key: {agent} on {key}.",
        )

    def vertex_fault(self, key: str, agent: str) -> ApiError | None:
        """Why Vertex AI cannot keep with a key what it tunes, in its own words."""
        if self._keys.get(key) and self._may(agent, key, {_ENCRYPTS, _DECRYPTS}):
            return None
        return invalid(
            f"Provided CryptoKey {key} cannot be used in Vertex AI service. Please make sure the"
            f" CryptoKey is enabled and Vertex AI service account `{agent}` has Encryption and"
            " Decryption access to the CryptoKey."
        )

    def _may(self, agent: str, key: str, permissions: set[str]) -> bool:
        member, held = f"serviceAccount:{agent}", set[str]()
        for binding in self._policies.get(key, 3).get("bindings", ()):
            if member in binding["members"]:
                held |= self._roles.permissions(binding["role"])
        return permissions <= held

    def _create_ring(self, request: Request) -> Answer:
        name = f"{self._place(request)}/keyRings/{request.first('keyRingId')}"
        with self._state.transaction():
            if self._rings.get(name):
                raise conflict(f"KeyRing {name} already exists.")
            self._rings.put(name, {"name": name})
        return {"name": name}

    def _get_ring(self, request: Request) -> Answer:
        name = self._ring(request)
        return self._rings.get(name) or {}

    def _create(self, request: Request) -> Answer:
        name = f"{self._ring(request)}/cryptoKeys/{request.first('cryptoKeyId')}"
        key = {**request.json(), "name": name}
        with self._state.transaction():
            if self._keys.get(name):
                raise conflict(f"CryptoKey {name} already exists.")
            self._keys.put(name, key)
        return key

    def _get(self, request: Request) -> Answer:
        return self._key(request)

    def _get_policy(self, request: Request) -> Answer:
        option = "options.requestedPolicyVersion"
        version = a_number(request.first(option), option, 1)
        return self._policies.get(str(self._key(request)["name"]), version)

    def _set_policy(self, request: Request) -> Answer:
        policy = an_object(request.json(), "policy")
        return self._policies.set(str(self._key(request)["name"]), policy)

    def _place(self, request: Request) -> str:
        project = self._projects.find(request.params["project"]).id
        return f"projects/{project}/locations/{request.params['location']}"

    def _ring(self, request: Request) -> str:
        name = f"{self._place(request)}/keyRings/{request.params['ring']}"
        if self._rings.get(name) is None:
            raise not_found(f"KeyRing {name} not found.")
        return name

    def _key(self, request: Request) -> Mapping[str, Any]:
        name = f"{self._ring(request)}/cryptoKeys/{request.params['key']}"
        if found := self._keys.get(name):
            return found
        raise not_found(f"CryptoKey {name} not found.")
