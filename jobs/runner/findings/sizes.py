"""Sizes: examples, bytes and tokens against what the base model takes."""

import math
from collections.abc import Iterator

from jobs.runner import rules
from jobs.runner.catalog import BaseModelFacts
from jobs.runner.dataset import Dataset, Split
from jobs.runner.rules import Finding, finding

# Above 1000 validation examples, at most 30 % of the training examples. The source is the
# catalog's `about`, which has the fixed limits.
_FREE_VALIDATION, _VALIDATION_SHARE = 1000, 0.3


def sizes(dataset: Dataset, facts: BaseModelFacts) -> Iterator[Finding]:
    if train := dataset.splits.get("train"):
        yield from _training(train, facts)
    if validation := dataset.splits.get("validation"):
        yield from _validation(validation, train, facts)
    for split in dataset.splits.values():
        yield from _too_long(split, facts)


def _training(train: Split, facts: BaseModelFacts) -> Iterator[Finding]:
    shown = train.source.shown
    if train.size > facts.training_bytes:
        what = f"holds {train.size:,} bytes; at most {facts.training_bytes:,} are taken"
        yield finding(rules.TRAINING_BYTES, shown, 0, what)
    if train.examples > facts.training_examples:
        what = f"holds {train.examples:,} examples; at most {facts.training_examples:,} are taken"
        yield finding(rules.TRAINING_EXAMPLES, shown, 0, what)


def _validation(validation: Split, train: Split | None, facts: BaseModelFacts) -> Iterator[Finding]:
    count, most, shown = validation.examples, facts.validation_examples, validation.source.shown
    if count > most:
        what = f"holds {count:,} examples; at most {most:,} are taken"
        yield finding(rules.VALIDATION_EXAMPLES, shown, 0, what)
    elif train and count > max(_FREE_VALIDATION, _VALIDATION_SHARE * train.examples):
        what = (
            f"holds {count:,} examples; above {_FREE_VALIDATION:,} it may be at most"
            f" {_VALIDATION_SHARE:.0%} of the {train.examples:,} training examples"
        )
        yield finding(rules.VALIDATION_SHARE, shown, 0, what)


def _too_long(split: Split, facts: BaseModelFacts) -> Iterator[Finding]:
    characters, line = split.longest
    tokens = math.ceil(split.guess.tokens / max(split.characters, 1) * characters)
    if tokens > facts.tokens_per_example:
        what = (
            f"has about {tokens:,} tokens; the service drops examples of more than"
            f" {facts.tokens_per_example:,} without a word"
        )
        yield finding(rules.TOO_MANY_TOKENS, split.source.shown, line, what)
