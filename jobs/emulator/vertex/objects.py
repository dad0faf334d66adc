"""Objects of the emulator's own storage, read in-process: tuning takes its datasets from there."""

from io import BufferedReader

from jobs.emulator.state import State
from jobs.emulator.storage.blobs import Blobs
from jobs.emulator.storage.generations import Store
from jobs.emulator.vertex.validation import OpenObject


def stored_objects(state: State) -> OpenObject:
    """Opens the live generation of an object; None if there is none."""
    blobs = Blobs(state.folder / "blobs")
    store = Store(state, blobs)

    def open_object(bucket: str, name: str) -> BufferedReader | None:
        with store.edit() as objects:
            found = objects.live(bucket, name)
            # Opened before another request can delete it; an open file outlives its name.
            return BufferedReader(blobs.open(found.blob)) if found else None

    return open_object
