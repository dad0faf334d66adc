"""Estimate: epochs, tokens and price of a tuning before it is submitted."""

import math
from dataclasses import dataclass, replace
from datetime import date

from jobs.runner.price import SETTING, Price
from jobs.runner.spec import Tuning
from jobs.runner.tokens import Guess

ESTIMATED = "estimated"
UNCOUNTED = "whose tokens only the service can count (`vertune plan --exact`)"

# A step of 2023 took 8 examples (SDK 1.27.0, `TextGenerationModel.tune_model`).
EXAMPLES_PER_STEP = 8

# 100 steps on 25 examples would be 32 epochs: many times the price for a model that only memorises.
MOST_CONVERTED_EPOCHS = 20


# A default as a user met it (gemini-3.1-flash-lite, 166 examples); the service's rule is not known.
_MOST_SEEN = 40
_OPEN = "the service chooses the epochs"


@dataclass(frozen=True)
class Estimate:
    """`epochs` None: the service decides. `price_usd` None: unknown, which is not nothing."""

    epochs: int | None
    tokens: int  # of one epoch
    price_usd: float | None
    notes: tuple[str, ...]
    price: Price | None = None
    low: int | None = None  # 95 of 100 times there are no fewer tokens than this
    high: int | None = None  # and no more than this
    basis: str = ESTIMATED  # how the tokens are known
    first: "Estimate | None" = None  # by text alone, where more was found out since
    seconds: float | None = None  # that it will take, as earlier tunings did

    @property
    def billable_tokens(self) -> int | None:
        return None if self.epochs is None else self.tokens * self.epochs

    @property
    def offline(self) -> "Estimate":
        """What the text alone says, the same on every machine and at any time."""
        return self.first or self

    def revised(
        self, tokens: int, basis: str, low: int | None = None, high: int | None = None
    ) -> "Estimate":
        """With so many tokens an epoch; without `low` and `high` there is no doubt of them."""
        usd = None
        if self.price is not None and self.epochs is not None:
            usd = self.price.usd * tokens * self.epochs / 1e6
        changed = replace(self, tokens=tokens, price_usd=usd, basis=basis, low=low, high=high)
        notes = tuple(
            _left_open(changed) if note.startswith(_OPEN) else note
            for note in self.notes
            if not note.endswith(UNCOUNTED)
        )
        return replace(changed, notes=notes, first=self.offline)

    def at(self, epochs: int) -> str:
        """What so many epochs would take, in words."""
        said = f"about {self.tokens * epochs:,} tokens"
        return (
            said
            if self.price is None
            else f"{said}, {usd(self.price.usd * self.tokens * epochs / 1e6)}"
        )

    @property
    def usd_range(self) -> tuple[float, float] | None:
        """Of what tokens may cost, where both are known to be somewhere between two figures."""
        if self.price_usd is None or self.price is None or self.low is None or self.high is None:
            return None
        each = self.price.usd * (self.epochs or 0) / 1e6
        return self.low * each, self.high * each


def estimate(
    tuning: Tuning,
    examples: int,
    guess: Guess,
    price: Price | None,
    today: date,
    with_files: int = 0,
) -> Estimate:
    """`guess` of the tokens of all training examples."""
    epochs = epochs_of(tuning, examples)
    low, tokens, high = map(math.ceil, (guess.low, guess.tokens, guess.high))
    cost = None if price is None or epochs is None else price.usd * tokens * epochs / 1e6
    notes = [*converted(tuning, examples).values()]
    if with_files:
        cost = None
        notes.append(f"{with_files:,} of {counted(examples, 'example')} hold files, {UNCOUNTED}")
    if price is None:
        notes.append(f"no price of this base model is known; set {SETTING} if you know it")
    elif old := price.aged(today):
        notes.append(old)
    found = Estimate(epochs, tokens, cost, tuple(notes), price, low, high)
    return found if epochs else replace(found, notes=(_left_open(found), *notes))


def _left_open(cost: Estimate) -> str:
    return (
        f"{_OPEN}, so the price is open; set tuning.epochs. {_MOST_SEEN} of them, as it once chose"
        f" for 166 examples, take {cost.at(_MOST_SEEN)}"
    )


def usd(price: float) -> str:
    """An estimated price in words; a small one is not shown as nothing."""
    return "less than $0.01" if 0 < price < 0.01 else f"about ${price:,.2f}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def epochs_of(tuning: Tuning, examples: int) -> int | None:
    """The epochs a spec asks for; None leaves them to the service."""
    if tuning.steps is not None:
        return min(_exact_epochs(tuning.steps, examples), MOST_CONVERTED_EPOCHS)
    return tuning.epochs if isinstance(tuning.epochs, int) else None


def _exact_epochs(steps: int, examples: int) -> int:
    return math.ceil(steps * EXAMPLES_PER_STEP / max(examples, 1))


def converted(tuning: Tuning, examples: int) -> dict[str, str]:
    """What became of each setting of 2023, in words, by its name."""
    notes = {}
    if tuning.steps is not None:
        exact, epochs = _exact_epochs(tuning.steps, examples), epochs_of(tuning, examples)
        rounded = tuning.steps * EXAMPLES_PER_STEP != exact * examples
        notes["steps"] = (
            f"{counted(tuning.steps, 'step')} (2023) × {EXAMPLES_PER_STEP} /"
            f" {counted(examples, 'example')} = {counted(exact, 'epoch')}"
            + (" (rounded up)" if rounded else "")
            + ("" if exact == epochs else f", held to {epochs}: more would only memorise")
        )
    if tuning.learning_rate is not None:
        notes["learning_rate"] = (
            f"learning_rate {tuning.learning_rate:g} (2023) is not carried over: today's setting is"
            " learning_rate_multiplier, whose default is 1"
        )
    return notes
