"""Operations: long-running ones, all done when they are answered, readable afterwards."""

import secrets
from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import not_found
from jobs.emulator.state import State
from jobs.emulator.wire import Answer, Request, Route

_POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools"


class Operations:
    """Those of Service Usage and of workload identity."""

    def __init__(self, state: State) -> None:
        self._documents = state.documents("operation")

    def done(self, parent: str, response: Mapping[str, Any]) -> dict[str, Any]:
        """The finished operation of `parent`: empty, or a resource's name with a slash after it."""
        name = f"{parent}operations/local-{secrets.token_hex(8)}"
        operation = {"name": name, "done": True, "response": dict(response)}
        self._documents.put(name, operation)
        return operation

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/v1/operations/{id}", self._get),
            Route("GET", "/v1beta1/operations/{id}", self._get),
            Route("GET", f"{_POOLS}/{{parent*}}/operations/{{id}}", self._get),
        ]

    def _get(self, request: Request) -> Answer:
        name = request.path.split("/", 2)[2]
        if operation := self._documents.get(name):
            return operation
        raise not_found(f"Operation {name} not found.")
