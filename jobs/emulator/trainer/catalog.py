"""The trainers there are, described without loading them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from jobs.emulator.trainer.base import Trainer


@dataclass(frozen=True)
class Entry:
    name: str
    description: str
    context_tokens: int
    source: str  # "module:class", imported in the worker only


SMOLLM2 = Entry(
    name="smollm2-135m-instruct",
    description=(
        "Local simulation: SmolLM2-135M-Instruct, a 135-million-parameter model tuned and run"
        " on this machine; it stands in for the base model, whose answers differ."
    ),
    context_tokens=1024,
    source="jobs.emulator.trainer.smollm2:SmolLM2",
)

NEAREST = Entry(
    name="nearest-example",
    description=(
        "Local simulation without a language model: answers with the response of the most"
        " similar training example, for tests."
    ),
    context_tokens=1024,
    source="jobs.emulator.trainer.nearest:Nearest",
)

TRAINERS: Mapping[str, Entry] = {"smollm2": SMOLLM2, "nearest": NEAREST}  # as people call them


def describe(name: str) -> Entry:
    """By either name."""
    for called, entry in TRAINERS.items():
        if name in (called, entry.name):
            return entry
    raise ValueError(f'no trainer named "{name}"; there are: {", ".join(TRAINERS)}')


def load(name: str) -> Trainer:
    module, _, attribute = describe(name).source.partition(":")
    return cast(Trainer, getattr(import_module(module), attribute)())
