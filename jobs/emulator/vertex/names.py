"""Resource names: projects/P/locations/L/COLLECTION/ID, and ids that no cloud would give."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from jobs.emulator.errors import rpc_error
from jobs.emulator.wire import Request

_MODEL = re.compile(r"projects/([^/]+)/locations/([^/]+)/models/([^/@]+)(?:@([^/@]+))?")


@dataclass(frozen=True)
class Place:
    """A project, by its number as the service answers, and a location."""

    project: str
    location: str

    def __str__(self) -> str:
        return f"projects/{self.project}/locations/{self.location}"

    def name(self, collection: str, id: str) -> str:
        return f"{self}/{collection}/{id}"


@dataclass(frozen=True)
class ModelName:
    place: Place
    id: str
    version: str | None = None  # a number or an alias; none is the default version

    def __str__(self) -> str:
        return self.place.name("models", self.id)


class Names:
    """Reads names as clients write them: with the id or the number of a project there is."""

    def __init__(self, numbers: Mapping[str, str]) -> None:
        self._numbers = {**numbers, **{number: number for number in numbers.values()}}

    def place(self, request: Request) -> Place:
        return Place(self._number(request.params["project"]), request.params["location"])

    def resource(self, request: Request, collection: str) -> str:
        return self.place(request).name(collection, request.params["id"])

    def model(self, request: Request) -> ModelName:
        id, _, version = request.params["id"].partition("@")
        return ModelName(self.place(request), id, version or None)

    def model_named(self, text: str) -> ModelName:
        name = read_model_name(text)
        return replace(name, place=replace(name.place, project=self._number(name.place.project)))

    def _number(self, project: str) -> str:
        if number := self._numbers.get(project):
            return number
        raise _forbidden(project)


def read_model_name(text: str) -> ModelName:
    """The name as it is written, whether or not there is such a project."""
    found = _MODEL.fullmatch(text)
    if not found:
        raise rpc_error("INVALID_ARGUMENT", f"The Model name is malformed: {text!r}")
    return ModelName(Place(found[1], found[2]), found[3], found[4])


def _forbidden(project: str) -> Exception:
    return rpc_error(
        "PERMISSION_DENIED",
        f"Permission denied on resource project {project} (or it may not exist).",
    )


def local_id(microsecond: int) -> str:
    """An id of this emulator; ids of one kind sort by the time they were made."""
    return f"local-{microsecond}"
