"""Resource names: projects/P/locations/L/COLLECTION/ID, and ids that no cloud would give."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from jobs.emulator.errors import rpc_error
from jobs.emulator.wire import Request

ProjectNumber = Callable[[str], str]

_MODEL = re.compile(r"projects/([^/]+)/locations/([^/]+)/models/([^/@]+)(?:@([^/@]+))?")
_ENDPOINT = re.compile(r"projects/([^/]+)/locations/([^/]+)/endpoints/([^/]+)")


@dataclass(frozen=True)
class Place:
    """A project, by its number as the service answers, and a location."""

    project: str
    location: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    def name(self, collection: str, id: str) -> str:
        return f"{self}/{collection}/{id}"

    def at(self, location: str) -> "Place":
        return Place(self.project, location)


@dataclass(frozen=True)
class ModelName:
    place: Place
    id: str
    version: str | None = None  # a number or an alias; none is the default version

    def __str__(self) -> str:
        return self.place.name("models", self.id)


class Names:
    """Reads names as clients write them: with the project's id or its number."""

    def __init__(self, project_number: ProjectNumber) -> None:
        self._number = project_number

    def place(self, request: Request) -> Place:
        return Place(self._number(request.params["project"]), request.params["location"])

    def resource(self, request: Request, collection: str) -> str:
        return self.place(request).name(collection, request.params["id"])

    def model(self, request: Request) -> ModelName:
        id, _, version = request.params["id"].partition("@")
        return ModelName(self.place(request), id, version or None)

    def model_named(self, text: str) -> ModelName:
        found = _MODEL.fullmatch(text)
        if not found:
            raise _malformed("Model", text)
        return ModelName(Place(self._number(found[1]), found[2]), found[3], found[4])

    def endpoint_named(self, text: str) -> str:
        found = _ENDPOINT.fullmatch(text)
        if not found:
            raise _malformed("Endpoint", text)
        return Place(self._number(found[1]), found[2]).name("endpoints", found[3])


def local_id(microsecond: int) -> str:
    """An id of this emulator; ids of one kind sort by the time they were made."""
    return f"local-{microsecond}"


def _malformed(kind: str, text: str) -> Exception:
    return rpc_error("INVALID_ARGUMENT", f"The {kind} name is malformed: {text!r}")
