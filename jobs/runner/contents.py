"""Contents: what tells the bytes of a source from all others, here and on any other machine.

A file at hand is hashed, once for each state of it; of an object its state says as much.
"""

import hashlib
from typing import BinaryIO

from jobs.runner.lines import Source
from jobs.runner.seen import Seen, key

_PIECE = 1 << 20


def told(source: Source) -> str:
    """The state of a source; nothing where it cannot be told."""
    try:
        return source.state()
    except OSError:
        return ""


def _hashed(stream: BinaryIO) -> str:
    found = hashlib.sha256()
    while piece := stream.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def of(source: Source, seen: Seen) -> str:
    """Nothing where it cannot be told. Of a state that is known nothing is read."""
    state = told(source)
    if not source.at_hand:
        return state
    place = key("bytes", source.shown, state)
    if state and (kept := seen.get(place)):
        return str(kept["sha256"])
    try:
        with source.open() as stream:
            found = _hashed(stream)
    except OSError:
        return ""
    if state and told(source) == state:
        seen.put(place, {"sha256": found})
    return found
