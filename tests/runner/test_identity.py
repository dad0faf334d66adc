"""Fingerprints: what would be tuned differently differs, and nothing else does."""

import re
from typing import Any

import pytest

from jobs.runner import identity
from jobs.runner.spec import Spec

LEAST = {"task": "classification", "base_model": "gemini-3.1-flash-lite", "dataset": "datasets/a"}
DIGEST = "d" * 64


def fingerprint(values: dict[str, Any] | None = None, digest: str = DIGEST) -> str:
    spec = Spec.model_validate(LEAST | {"tuning": {"epochs": 3}} | (values or {}))
    return identity.fingerprint(identity.inputs(spec, digest))


def test_it_is_a_sha_256_that_never_changes_by_itself() -> None:
    # Another one here would tune everything anew, everywhere, at the next apply.
    known = "f4fc2f9888ed96ef2fe794e9e6154a240397ec28791bf1793afa379f51becd47"
    assert fingerprint() == known


@pytest.mark.parametrize(
    "values",
    [
        {"dataset": "gs://elsewhere/a.jsonl"},
        {"task": "chat"},
        {"labels": {"team": "search"}},
        {"budget_usd": 3},
        {"evaluation": {"metric": "rouge_l", "at_least": 0.9}},
        {"environments": ["local", "prod"]},
        {"overrides": {"prod": {"budget_usd": 20}}},
        {"tuning": {"epochs": 3, "steps": None}},
        {"tuning": {"epochs": 3, "learning_rate": 3}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_does_not_change_the_tuning_does_not_change_it(values: dict[str, Any]) -> None:
    assert fingerprint(values) == fingerprint()


@pytest.mark.parametrize(
    "values",
    [
        {"base_model": "gemini-3.5-flash"},
        {"tuning": {}},
        {"tuning": {"epochs": 4}},
        {"tuning": {"epochs": "auto"}},
        {"tuning": {"steps": 3}},
        {"tuning": {"epochs": 3, "adapter_size": 4}},
        {"tuning": {"epochs": 3, "learning_rate_multiplier": 1.0}},
    ],
    ids=str,
)
def test_the_base_model_and_every_hyperparameter_count_as_written(values: dict[str, Any]) -> None:
    assert fingerprint(values) != fingerprint()


def test_a_number_counts_by_its_value() -> None:
    one = fingerprint({"tuning": {"learning_rate_multiplier": 1}})
    assert one == fingerprint({"tuning": {"learning_rate_multiplier": 1.0}})


def test_the_order_of_hyperparameters_does_not_count() -> None:
    one = fingerprint({"tuning": {"epochs": 3, "adapter_size": 4}})
    assert one == fingerprint({"tuning": {"adapter_size": 4, "epochs": 3}})


def test_the_examples_count() -> None:
    assert fingerprint(digest="e" * 64) != fingerprint()


def test_what_is_tuned_further_counts() -> None:
    spec = Spec.model_validate(LEAST)
    further = identity.fingerprint(identity.inputs(spec, DIGEST, continues=fingerprint()))
    assert further != identity.fingerprint(identity.inputs(spec, DIGEST))


def test_it_fits_into_a_label() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", identity.label(fingerprint()))
