"""SARIF: the structure that code hosts take, by the standard's own names and nothing else."""

import json
from typing import Literal
from urllib.parse import unquote

import pytest
from pydantic import BaseModel, ConfigDict, Field

from jobs.runner import report, sarif
from jobs.runner.errors import Problem
from jobs.runner.rules import LEAKED, NOT_JSON, RULES, Finding


class _Part(BaseModel):
    """A part of a log; SARIF 2.1.0 forbids other properties than its own."""

    model_config = ConfigDict(extra="forbid", strict=True)


Level = Literal["none", "note", "warning", "error"]


class Message(_Part):
    text: str = Field(min_length=1)


class Configuration(_Part):
    level: Level


class ReportingDescriptor(_Part):
    id: str
    shortDescription: Message
    fullDescription: Message
    help: Message
    defaultConfiguration: Configuration


class Driver(_Part):
    name: str
    version: str
    rules: list[ReportingDescriptor]


class Tool(_Part):
    driver: Driver


class Artifact(_Part):
    uri: str = Field(pattern=r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*$")


class Region(_Part):
    startLine: int = Field(ge=1)


class PhysicalLocation(_Part):
    artifactLocation: Artifact
    region: Region


class Location(_Part):
    physicalLocation: PhysicalLocation


class Suppression(_Part):
    kind: Literal["inSource", "external"]
    justification: str


class Result(_Part):
    ruleId: str
    ruleIndex: int = Field(ge=0)
    level: Level
    message: Message
    locations: list[Location]
    occurrenceCount: int = Field(default=1, ge=1)
    suppressions: list[Suppression] = []


class Run(_Part):
    tool: Tool
    columnKind: Literal["utf16CodeUnits", "unicodeCodePoints"]
    results: list[Result]


class Log(_Part):
    schema_: str = Field(alias="$schema")
    version: Literal["2.1.0"]
    runs: list[Run]


def parsed(*findings: Finding) -> Run:
    log = Log.model_validate_json(report.dumps(sarif.log(findings)))
    (run,) = log.runs
    return run


def at(path: str = "datasets/a.jsonl", line: int = 7) -> Problem:
    return Problem(path, line, "", "is wrong")


def test_a_log_without_results_names_every_rule() -> None:
    run = parsed()
    assert [rule.id for rule in run.tool.driver.rules] == list(RULES)
    assert run.results == []


def test_a_finding_is_a_result_at_its_line() -> None:
    (result,) = parsed(Finding(NOT_JSON, at(), "error")).results
    assert result.level == "error"
    assert result.message.text == f"is wrong. {NOT_JSON.remedy}"
    place = result.locations[0].physicalLocation
    assert (place.artifactLocation.uri, place.region.startLine) == ("datasets/a.jsonl", 7)


def test_the_index_of_a_rule_is_the_place_where_it_stands() -> None:
    run = parsed(*(Finding(rule, at(), rule.severity) for rule in RULES.values()))
    for result in run.results:
        assert run.tool.driver.rules[result.ruleIndex].id == result.ruleId


def test_what_is_ignored_is_suppressed_with_its_reason() -> None:
    (result,) = parsed(Finding(LEAKED, at(), "warning", ignored="meant so")).results
    assert result.suppressions == [Suppression(kind="external", justification="meant so")]


def test_one_that_stands_for_many_says_how_many() -> None:
    (result,) = parsed(Finding(LEAKED, at(line=0), "warning", more=4000)).results
    assert result.occurrenceCount == 4000
    assert result.locations[0].physicalLocation.region.startLine == 1


@pytest.mark.parametrize("path", ["datasets/ä b#1%.jsonl", "gs://bucket/a b.jsonl", "a:b.jsonl"])
def test_any_path_is_a_uri(path: str) -> None:
    (result,) = parsed(Finding(LEAKED, at(path), "warning")).results
    assert unquote(result.locations[0].physicalLocation.artifactLocation.uri) == path


def test_the_log_is_plain_json() -> None:
    nasty = Problem("a\x1b", 1, "f\n", "quota \u202e\x00")
    assert json.loads(report.dumps(sarif.log([Finding(LEAKED, nasty, "warning")])))
