"""Estimate: epochs, tokens and price of a tuning before it is submitted."""

import math
from dataclasses import dataclass

from jobs.runner.catalog import BaseModelFacts
from jobs.runner.spec import Tuning

# Characters of English text to a token. The service counts anew and bills by its own count.
# https://ai.google.dev/gemini-api/docs/tokens
CHARACTERS_PER_TOKEN = 4

# A step of 2023 took 8 examples (SDK 1.27.0, `TextGenerationModel.tune_model`).
EXAMPLES_PER_STEP = 8

# 100 steps on 25 examples would be 32 epochs: many times the price for a model that only memorises.
MOST_CONVERTED_EPOCHS = 20


@dataclass(frozen=True)
class Estimate:
    """`epochs` None: the service decides. `price_usd` None: unknown, which is not nothing."""

    epochs: int | None
    tokens: int  # of one epoch
    price_usd: float | None
    notes: tuple[str, ...]

    @property
    def billable_tokens(self) -> int | None:
        return None if self.epochs is None else self.tokens * self.epochs


def estimate(
    tuning: Tuning, examples: int, characters: int, facts: BaseModelFacts | None
) -> Estimate:
    """`characters` of all training examples; `facts` None where the base model is not known."""
    epochs, notes = epochs_of(tuning, examples)
    tokens = math.ceil(characters / CHARACTERS_PER_TOKEN)
    price = facts.price_usd if facts else None
    known = price is not None and epochs is not None
    cost = price * tokens * epochs / 1e6 if price is not None and epochs is not None else None
    if not known and epochs is None:
        notes = (*notes, "the service chooses the epochs, so the price is open; set tuning.epochs")
    return Estimate(epochs, tokens, cost, notes)


def epochs_of(tuning: Tuning, examples: int) -> tuple[int | None, tuple[str, ...]]:
    """The epochs a spec asks for, None for the service's choice, and how they were found."""
    notes: list[str] = []
    if tuning.learning_rate is not None:
        notes.append(
            f"learning_rate {tuning.learning_rate:g} (2023) is not carried over: today's setting is"
            " learning_rate_multiplier, whose default is 1"
        )
    if tuning.steps is None:
        epochs = tuning.epochs if isinstance(tuning.epochs, int) else None
        return epochs, tuple(notes)
    exact = math.ceil(tuning.steps * EXAMPLES_PER_STEP / max(examples, 1))
    epochs = min(exact, MOST_CONVERTED_EPOCHS)
    said = (
        f"{tuning.steps} steps (2023) × {EXAMPLES_PER_STEP} / {examples} examples = {exact} epochs"
    )
    notes.append(said + (f", held to {epochs}" if epochs < exact else ""))
    return epochs, tuple(notes)
