"""Operations: every long-running call is done when it is answered, and may be polled after."""

from collections.abc import Mapping
from typing import Any

from jobs.emulator.errors import rpc_error
from jobs.emulator.state import State
from jobs.emulator.vertex.names import Names, Place, local_id
from jobs.emulator.vertex.times import timestamp
from jobs.emulator.wire import Answer, Request, Route

_TYPES = "type.googleapis.com/google.cloud.aiplatform"
EMPTY = "type.googleapis.com/google.protobuf.Empty"


class Operations:
    def __init__(self, state: State, names: Names) -> None:
        self._state, self._names = state, names
        self._documents = state.documents("vertexOperations")

    def tick(self) -> int:
        """A microsecond nobody else gets."""
        return self._state.microsecond()

    def done(
        self, place: Place, version: str, call: str, response: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """`call` is the RPC's name; without a response the operation answers Empty.

        A response other than CALLResponse says its own @type.
        """
        microsecond = self._state.microsecond()
        stamp = timestamp(microsecond)
        operation: dict[str, Any] = {
            "name": place.name("operations", local_id(microsecond)),
            "metadata": {
                "@type": f"{_TYPES}.{version}.{call}OperationMetadata",
                "genericMetadata": {"createTime": stamp, "updateTime": stamp},
            },
            "done": True,
            "response": {"@type": EMPTY}
            if response is None
            else {"@type": f"{_TYPES}.{version}.{call}Response", **response},
        }
        if call.startswith("Delete"):
            operation["metadata"]["@type"] = f"{_TYPES}.{version}.DeleteOperationMetadata"
        self._documents.put(operation["name"], operation)
        return operation

    def routes(self) -> list[Route]:
        path = "projects/{project}/locations/{location}/operations/{id}"
        return [Route("GET", f"/{root}/{path}", self._get) for root in ("ui", "v1", "v1beta1")]

    def _get(self, request: Request) -> Answer:
        name = self._names.resource(request, "operations")
        if operation := self._documents.get(name):
            return operation
        raise rpc_error("NOT_FOUND", f"Operation {name} not found.")
