"""The published schema: fresh, and of one mind with what loads a spec."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from jobs.runner.rules import RULES
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


def test_a_base_model_that_is_retired_is_not_offered_and_not_refused(
    validator: Draft202012Validator,
) -> None:
    """The check of a spec says since when, and what to do."""
    offered = schema()["properties"]["base_model"]["examples"]
    assert LEAST["base_model"] in offered
    assert "gemini-2.5-flash" not in offered
    assert list(validator.iter_errors(LEAST | {"base_model": "gemini-2.5-flash"})) == []


def keys() -> Iterator[tuple[str, dict[str, Any]]]:
    body = schema()
    for part in (body, *body["$defs"].values()):
        for key, of in part["properties"].items():
            yield (
                key,
                body["$defs"][of["$ref"].removeprefix("#/$defs/")] | of if "$ref" in of else of,
            )


def test_every_key_says_what_it_is_for() -> None:
    assert [key for key, of in keys() if len(of.get("description", "")) < 15] == []


def test_every_key_shows_an_example_or_all_there_is_to_choose_from() -> None:
    bare = {key for key, of in keys() if "examples" not in of and "enum" not in json.dumps(of)}
    assert bare == {"priority", "learning_rate", "ignore"}


def test_every_example_is_valid(validator: Draft202012Validator) -> None:
    defs = schema()["$defs"]
    for key, of in keys():
        for shown in of.get("examples", ()):
            assert [*validator.evolve(schema={"$defs": defs, **of}).iter_errors(shown)] == [], key


def test_vs_code_is_told_of_the_schema_and_of_what_reads_it() -> None:
    settings, recommended = (
        json.loads((ROOT / ".vscode" / f"{name}.json").read_text("utf-8"))
        for name in ("settings", "extensions")
    )
    ((path, globs),) = settings["yaml.schemas"].items()
    named = {found for glob in globs for found in ROOT.glob(glob)}
    assert json.loads((ROOT / path).read_text("utf-8")) == schema()
    assert named == {*(ROOT / "jobs").glob("*.yaml")}
    assert recommended == {"recommendations": ["redhat.vscode-yaml"]}


def test_pycharm_is_told_of_the_schema() -> None:
    mapping = ElementTree.parse(ROOT / ".idea" / "jsonSchemas.xml")
    options = {one.get("name"): one.get("value") for one in mapping.iter("option")}
    assert json.loads((ROOT / str(options["relativePathToSchema"])).read_text("utf-8")) == schema()
    assert (options["pattern"], options["path"]) == ("true", "jobs/*.yaml")


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


def test_an_editor_offers_no_null_first_and_calls_each_key_by_its_name() -> None:
    assert [key for key, of in keys() if of.get("default", 0) is None or "anyOf" in of] == []
    assert [key for key, of in keys() if of["title"] != key] == []


def test_an_editor_says_of_each_finding_what_it_is() -> None:
    shown = schema()["$defs"]["Ignored"]["properties"]["id"]
    said = dict(zip(shown["enum"], shown["enumDescriptions"], strict=True))
    assert said == {id: rule.what for id, rule in RULES.items() if id in said}
    assert {id: one["description"] for id, one in shown["x-intellij-enum-metadata"].items()} == said
