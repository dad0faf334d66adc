"""The README and the pages it leads to: their examples can be tuned on, their tables are whole."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import requests
import yaml

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import guards
from jobs.runner.cli import COMMANDS
from jobs.runner.example import parse
from jobs.runner.spec import Spec
from tests.emulator.vertex.place import headlines
from tests.emulator.wire import Wire
from tests.pages import ROOT, blocks

README = ROOT / "README.md"
EMULATOR = ROOT / "docs/emulator.md"


def test_every_example_is_one_that_can_be_tuned_on() -> None:
    lines = [line for block in blocks(README, "json") for line in block.splitlines()]
    assert len(lines) >= 3
    for line in lines:
        assert parse(line.encode(), None).answer


def test_every_spec_is_valid_and_says_what_the_one_in_jobs_says() -> None:
    shown = [body for body in map(yaml.safe_load, blocks(README, "yaml"))]
    specs = {p.stem: yaml.safe_load(p.read_text("utf-8")) for p in (ROOT / "jobs").glob("*.yaml")}
    assert len(shown) == 3
    for body in shown:
        Spec.model_validate(body)
        real = specs[Path(body["dataset"]).name]
        assert {key: real[key] for key in body} == body


def test_the_fault_rules_do_what_is_said_of_them(emulator: Emulator) -> None:
    wire = Wire(emulator.url)
    (rules,) = blocks(EMULATOR, "yaml")
    order = {
        "baseModel": "gemini-3.1-flash-lite",
        "supervisedTuningSpec": {"trainingDatasetUri": "gs://data/train.jsonl"},
    }
    jobs = "/v1/projects/vertune-local/locations/us-central1/tuningJobs"
    upload = f"{emulator.url}/upload/storage/v1/b/data/o?uploadType=media&name=train.jsonl"
    wire.call("POST", "/storage/v1/b?project=vertune-local", {"name": "data"})
    requests.post(upload, headlines(), timeout=20).raise_for_status()

    emulator.faults.write(rules, "emulator.md")
    with pytest.raises(requests.ConnectionError):
        wire.ask("POST", jobs, order)
    statuses = [wire.ask("GET", "/storage/v1/b/data")[0] for _ in range(7)]

    assert len(wire.call("GET", jobs)["tuningJobs"]) == 1
    assert statuses == [200, 200, 200, 200, 503, 503, 200]


def test_the_fault_rules_have_the_fields_that_are_told() -> None:
    section = EMULATOR.read_text("utf-8").partition("## Break it on purpose")[2]
    rows = re.findall(r"^\| (`.+?) \|", section, re.M)
    told = {name for row in rows for name in re.findall(r"\w+", row)}
    assert told == {field.name for field in fields(Rule)} - {"name"}


def test_every_command_is_named() -> None:
    page = (ROOT / "docs/commands.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"| `vertune {name}` |" not in page] == []


def test_every_guard_is_named() -> None:
    page = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    assert [name for name in guards.NAMES if f"| `{name}` |" not in page] == []
