"""What the server and the worker say to each other: pickled values on a pair of streams."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jobs.emulator.trainer.base import Conversation, Settings, Step


@dataclass(frozen=True)
class Tune:
    call: int
    job_id: str
    examples: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    settings: Settings
    folder: Path


@dataclass(frozen=True)
class Cancel:
    job_id: str


@dataclass(frozen=True)
class Generate:
    call: int
    prompts: tuple[Conversation, ...]
    adapter: Path | None
    max_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Count:
    call: int
    conversations: tuple[Conversation, ...]


@dataclass(frozen=True)
class Progress:
    call: int
    step: Step


@dataclass(frozen=True)
class Done:
    call: int
    value: object = None


@dataclass(frozen=True)
class Failed:
    call: int
    reason: str
    cancelled: bool = False


Request = Tune | Cancel | Generate | Count
Reply = Progress | Done | Failed


def write(stream: BinaryIO, message: Request | Reply) -> None:
    # Whole first: half a message on the stream would spoil all that follow.
    stream.write(pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))
    stream.flush()


def read(stream: BinaryIO) -> object:
    """The next message; EOFError once the other side is gone, even in the middle of one."""
    try:
        return pickle.load(stream)
    except pickle.UnpicklingError as error:
        raise EOFError(str(error)) from error
