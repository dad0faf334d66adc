"""Conditions: what a request demands of an object's or a bucket's current generation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Protocol

from jobs.emulator.errors import ApiError, condition_not_met, invalid
from jobs.emulator.wire import Request


class Versioned(Protocol):
    @property
    def generation(self) -> int: ...
    @property
    def metageneration(self) -> int: ...
    @property
    def etag(self) -> str: ...


@dataclass(frozen=True)
class Conditions:
    """A missing object has generation 0, so a match with 0 means: create only."""

    generation: int | None = None
    generation_not: int | None = None
    metageneration: int | None = None
    metageneration_not: int | None = None
    etag: str | None = None
    etag_not: str | None = None

    def check(self, found: Versioned | None) -> None:
        """412 unless all hold."""
        if self._differs(found) or self._repeats(found):
            raise condition_not_met()

    def check_read(self, found: Versioned) -> None:
        """As `check`, but what the reader has already is 304."""
        if self._differs(found):
            raise condition_not_met()
        if self._repeats(found):
            raise ApiError(304, "Not Modified", "notModified")

    def _differs(self, found: Versioned | None) -> bool:
        generation, metageneration = _stamps(found)
        return (
            self.generation not in (None, generation)
            or self.metageneration not in (None, metageneration)
            or (self.etag is not None and not _names(self.etag, found))
        )

    def _repeats(self, found: Versioned | None) -> bool:
        generation, metageneration = _stamps(found)
        return (
            self.generation_not == generation
            or self.metageneration_not == metageneration
            or (self.etag_not is not None and _names(self.etag_not, found))
        )


def from_query(request: Request, source: bool = False) -> Conditions:
    """`ifGenerationMatch` and its kin; `source`: those of the object copied from."""
    start = "ifSource" if source else "if"
    return Conditions(
        generation=number_in(request, start + "GenerationMatch"),
        generation_not=number_in(request, start + "GenerationNotMatch"),
        metageneration=number_in(request, start + "MetagenerationMatch"),
        metageneration_not=number_in(request, start + "MetagenerationNotMatch"),
        etag=None if source else request.headers.get("If-Match"),
        etag_not=None if source else request.headers.get("If-None-Match"),
    )


def from_headers(headers: Message) -> Conditions:
    """The XML API's form."""
    return Conditions(
        generation=number("generation", headers.get("x-goog-if-generation-match")),
        metageneration=number("metageneration", headers.get("x-goog-if-metageneration-match")),
        etag=headers.get("If-Match"),
        etag_not=headers.get("If-None-Match"),
    )


def from_json(body: Mapping[str, object]) -> Conditions:
    """The `objectPreconditions` of a composed source."""
    return Conditions(generation=number("ifGenerationMatch", body.get("ifGenerationMatch")))


def number_in(request: Request, name: str) -> int | None:
    return number(name, request.first(name))


def generation_of(request: Request) -> int | None:
    return number_in(request, "generation")


def number(name: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    if not re.fullmatch(r"-?[0-9]{1,19}", str(value)) or abs(int(str(value))) >= 1 << 63:
        raise invalid(f"Invalid value for {name}: '{value}'")
    return int(str(value))


def _stamps(found: Versioned | None) -> tuple[int, int]:
    return (found.generation, found.metageneration) if found else (0, 0)


def _names(etags: str, found: Versioned | None) -> bool:
    wanted = {etag.strip().removeprefix("W/").strip('"') for etag in etags.split(",")}
    return found is not None and ("*" in wanted or found.etag in wanted)
