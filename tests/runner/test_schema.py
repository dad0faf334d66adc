"""The published schema: fresh, and of one mind with what loads a spec."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from jobs.runner import catalog
from jobs.runner.schema import schema
from jobs.runner.spec import Spec

ROOT = Path(__file__).parents[2]
LEAST = {"task": "chat", "base_model": "gemini-3.1-flash-lite", "dataset": "datasets/a"}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_the_published_schema_is_the_one_that_would_be_generated_now() -> None:
    published = (ROOT / "jobs" / "schema.json").read_text("utf-8")
    assert json.loads(published) == schema(), "run: vertune schema > jobs/schema.json"


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_spec_here_is_valid_and_points_at_the_schema(
    path: Path, validator: Draft202012Validator
) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


def test_the_base_models_of_the_catalog_are_offered() -> None:
    assert schema()["properties"]["base_model"]["examples"] == list(catalog.load().base_models)


def test_every_key_says_what_it_is_for() -> None:
    body = schema()
    for part in (body, *body["$defs"].values()):
        for key, value in part["properties"].items():
            assert value.get("description") or "$ref" in value, key


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"tuning": {"epochs": "auto"}},
        {"tuning": {"epochs": None, "steps": 100, "learning_rate": 3}},
        {"tuning": {"adapter_size": 16, "learning_rate_multiplier": 0.5}},
        {"evaluation": {"metric": "rouge_l", "at_least": 1}},
        {"labels": {"team": "search"}, "environments": ["prod"], "budget_usd": None},
        {"overrides": {"prod": {"tuning": {"epochs": 5}, "budget_usd": 20}}},
    ],
)
def test_what_loads_is_valid_by_the_schema(
    values: dict[str, Any], validator: Draft202012Validator
) -> None:
    Spec.model_validate(LEAST | values)
    assert list(validator.iter_errors(LEAST | values)) == []


@pytest.mark.parametrize(
    "values",
    [
        {"task": "clasification"},
        {"dataset": ""},
        {"tunning": {}},
        {"tuning": {"epoch": 3}},
        {"tuning": {"epochs": 0}},
        {"tuning": {"epochs": "three"}},
        {"tuning": {"steps": 0}},
        {"tuning": {"adapter_size": 3}},
        {"tuning": {"learning_rate_multiplier": 0}},
        {"evaluation": {"at_least": 90}},
        {"budget_usd": -1},
        {"environments": []},
        {"labels": {"Team": "x"}},
        {"labels": {"team": "X"}},
    ],
)
def test_what_does_not_load_is_not_valid_by_the_schema(
    values: dict[str, Any], validator: Draft202012Validator
) -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate(LEAST | values)
    assert list(validator.iter_errors(LEAST | values)) != []


@pytest.mark.parametrize("key", ["task", "environments", "overrides", "bugdet_usd"])
def test_an_editor_does_not_offer_overrides_that_are_refused(
    key: str, validator: Draft202012Validator
) -> None:
    assert list(validator.iter_errors(LEAST | {"overrides": {"prod": {key: "x"}}})) != []
