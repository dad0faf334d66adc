"""SmolLM2-135M-Instruct, tuned and run on the processor: the stand-in of every base model."""

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from gguf import GGUFReader
from jax import Array

from jobs.emulator.trainer import generation, lora
from jobs.emulator.trainer.base import Conversation, Settings, Step, TrainerError
from jobs.emulator.trainer.batch import BATCH, batches
from jobs.emulator.trainer.catalog import SMOLLM2
from jobs.emulator.trainer.checkpoints import checkpoint_epochs, new_checkpoint
from jobs.emulator.trainer.model import Frozen
from jobs.emulator.trainer.processor import multiplies_half_precision
from jobs.emulator.trainer.reading import Reader
from jobs.emulator.trainer.tokenizer import ChatTokenizer
from jobs.emulator.trainer.tuning import LAYERS, RATE, Tuning
from jobs.emulator.trainer.weights import (
    Layer,
    Matrix,
    give_back_memory,
    installed_file,
    read_weights,
)

ADAPTER, ABOUT = "adapter.npy", "adapter.json"
_AHEAD = 4  # steps whose prompts are read together; a question waits for no more


class SmolLM2:
    """Prompts are read by the model as it is; an adapter acts from an answer's opening on.

    So a prompt is read once for all epochs, and once for the base model and every adapter.
    """

    name = SMOLLM2.name
    description = SMOLLM2.description
    context_tokens = SMOLLM2.context_tokens

    def __init__(self) -> None:
        self._loaded: tuple[Path, float, lora.Layout, Array] | None = None

    @cached_property
    def _file(self) -> GGUFReader:
        return GGUFReader(str(installed_file()))

    @cached_property
    def _tokenizer(self) -> ChatTokenizer:
        return ChatTokenizer.from_gguf(self._file)

    @cached_property
    def _frozen(self) -> Frozen:
        frozen = self._read()
        # Opening the file takes seconds: once for both, and nobody needs it afterwards.
        self.__dict__.pop("_file", None)
        give_back_memory()
        return frozen

    def _read(self) -> Frozen:
        weights = read_weights(self._file)
        return Frozen(
            shape=weights.shape,
            layers=[Layer(*map(_kept, layer)) for layer in weights.layers],
            embedding=jnp.asarray(weights.embedding),
            norm=jnp.asarray(weights.norm),
            opening=self._tokenizer.opening,
        )

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._frozen.shape, self._frozen.layers, self._frozen.embedding)

    def count_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        return [len(self._tokenizer.prompt(conversation)) for conversation in conversations]

    def tune(
        self,
        examples: Sequence[Conversation],
        validation: Sequence[Conversation],
        settings: Settings,
        folder: Path,
    ) -> Iterator[Step]:
        targets = [target for example in examples for target in self._tokenizer.targets(example)]
        held_out = [target for one in validation for target in self._tokenizer.targets(one)]
        steps = -(-len(targets) // BATCH) * settings.epochs
        rate = RATE * settings.learning_rate_multiplier
        tuning = self._tuning(settings, rate, steps)
        kept = {epoch: str(n) for n, epoch in enumerate(checkpoint_epochs(settings.epochs), 1)}
        done = 0
        for epoch in range(1, settings.epochs + 1):
            metrics: dict[str, float] = {}
            order = list(batches(len(targets), settings.seed, epoch))
            for place, numbers in enumerate(order):
                if metrics:
                    yield Step(done, steps, epoch, metrics)
                if place % _AHEAD == 0:
                    ahead = chain.from_iterable(order[place : place + _AHEAD])
                    tuning.prepare([targets[number] for number in ahead])
                metrics = tuning.step([targets[number] for number in numbers]).named("train")
                done += 1
            if held_out:
                metrics |= tuning.score(held_out).named("eval")
            if epoch in kept:
                _save(tuning, settings, folder, kept[epoch])
            yield Step(done, steps, epoch, metrics, kept.get(epoch))

    def _tuning(self, settings: Settings, rate: float, steps: int) -> Tuning:
        def new(layers: int) -> Tuning:
            size, seed = settings.adapter_size, settings.seed
            return Tuning(self._frozen, self._reader, size, rate, steps, seed, layers)

        if not settings.continue_from:
            return new(LAYERS)
        layout, rows = self._adapter(settings.continue_from)
        # It goes on in the layers it was begun in.
        tuning = new(len(rows))
        if layout != tuning.layout:
            raise TrainerError(f"{settings.continue_from} has rank {layout.rank}.")
        tuning.rows = rows
        return tuning

    def generate(
        self,
        prompts: Sequence[Conversation],
        adapter: Path | None,
        *,
        max_tokens: int,
        temperature: float,
        seed: int,
    ) -> list[str]:
        said = generation.generate(
            self._frozen,
            self._reader,
            self._adapter(adapter) if adapter else None,
            [self._tokenizer.prompt(prompt) for prompt in prompts],
            stops=frozenset({self._tokenizer.end, 0}),
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
        )
        return [self._tokenizer.decode(tokens) for tokens in said]

    def _adapter(self, folder: Path) -> tuple[lora.Layout, Array]:
        written = (folder / ADAPTER).stat().st_mtime
        if self._loaded is None or self._loaded[:2] != (folder, written):
            rank = json.loads((folder / ABOUT).read_text("utf-8"))["rank"]
            layout = lora.Layout(self._frozen.shape, rank)
            rows = jnp.asarray(np.load(folder / ADAPTER, allow_pickle=False))
            self._loaded = (folder, written, layout, rows)
        return self._loaded[2:]


def _kept(matrix: Matrix) -> Array:
    """Matrices in half precision where the processor multiplies that twice as fast."""
    half = matrix.ndim == 2 and multiplies_half_precision()
    return jnp.asarray(matrix, jnp.bfloat16 if half else jnp.float32)


def _save(tuning: Tuning, settings: Settings, folder: Path, name: str) -> None:
    about = {"base": SMOLLM2.name, "rank": settings.adapter_size, "seed": settings.seed}
    with new_checkpoint(folder, name) as partial:
        np.save(partial / ADAPTER, np.asarray(tuning.rows))
        (partial / ABOUT).write_text(json.dumps(about), "utf-8")
