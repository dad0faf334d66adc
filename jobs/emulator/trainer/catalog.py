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

TRAINERS: Mapping[str, Entry] = {entry.name: entry for entry in (SMOLLM2, NEAREST)}


def describe(name: str) -> Entry:
    if name not in TRAINERS:
        raise ValueError(f"no trainer named {name!r}; there are: {', '.join(TRAINERS)}")
    return TRAINERS[name]


def load(name: str) -> Trainer:
    module, _, attribute = describe(name).source.partition(":")
    return cast(Trainer, getattr(import_module(module), attribute)())
