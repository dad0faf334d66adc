"""The README: what it shows can be typed, parsed and checked."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import click
import pytest
import requests
import yaml

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner import guards
from jobs.runner.cli import COMMANDS, main
from jobs.runner.example import parse
from jobs.runner.spec import Spec
from tests.emulator.vertex.place import headlines
from tests.emulator.wire import Wire

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language; the empty one is a shell's."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
    return [text for named, text in fenced if named == language]


def commands() -> list[list[str]]:
    lines = [line for block in blocks("") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("vertune ")]


def test_every_example_is_one_that_can_be_tuned_on() -> None:
    lines = [line for block in blocks("json") for line in block.splitlines()]
    assert len(lines) >= 3
    for line in lines:
        assert parse(line.encode(), None).answer


def test_every_spec_is_valid_and_says_what_the_one_in_jobs_says() -> None:
    shown = [body for body in map(yaml.safe_load, blocks("yaml")) if isinstance(body, dict)]
    specs = {p.stem: yaml.safe_load(p.read_text("utf-8")) for p in (ROOT / "jobs").glob("*.yaml")}
    assert len(shown) == 3
    for body in shown:
        Spec.model_validate(body)
        real = specs[Path(body["dataset"]).name]
        assert {key: real[key] for key in body} == body


def test_the_fault_rules_do_what_is_said_of_them(emulator: Emulator) -> None:
    wire = Wire(emulator.url)
    (rules,) = [block for block in blocks("yaml") if isinstance(yaml.safe_load(block), list)]
    order = {
        "baseModel": "gemini-3.1-flash-lite",
        "supervisedTuningSpec": {"trainingDatasetUri": "gs://data/train.jsonl"},
    }
    jobs = "/v1/projects/vertune-local/locations/us-central1/tuningJobs"
    upload = f"{emulator.url}/upload/storage/v1/b/data/o?uploadType=media&name=train.jsonl"
    wire.call("POST", "/storage/v1/b?project=vertune-local", {"name": "data"})
    requests.post(upload, headlines(), timeout=20).raise_for_status()

    emulator.faults.write(rules, "README.md")
    with pytest.raises(requests.ConnectionError):
        wire.ask("POST", jobs, order)
    statuses = [wire.ask("GET", "/storage/v1/b/data")[0] for _ in range(7)]

    assert len(wire.call("GET", jobs)["tuningJobs"]) == 1
    assert statuses == [200, 200, 200, 200, 503, 503, 200]


def test_the_fault_rules_have_the_fields_that_are_told() -> None:
    section = README.partition("## Break it on purpose")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.M)
    told = {name for row in rows for name in re.findall(r"\w+", row)}
    assert told == {field.name for field in fields(Rule)} - {"name"}


@pytest.mark.parametrize("words", commands(), ids=shlex.join)
def test_every_command_is_one_that_the_command_line_takes(words: list[str]) -> None:
    rest = words[1:]
    if rest[0] == "--stack":
        rest = rest[2:]
    context = click.Context(main, **main.context_settings)
    command = main.get_command(context, rest[0])
    assert command is not None, rest[0]
    if isinstance(command, click.Group):
        inner = command.get_command(context, rest[1])
        assert inner is not None, rest[1]
        command, rest = inner, rest[1:]
    command.make_context(rest[0], list(rest[1:]), parent=context)


def test_the_commands_of_all_blocks_are_found() -> None:
    assert len(commands()) >= 5
    assert "vertune --stack dev apply" in map(shlex.join, commands())


def test_every_command_is_named() -> None:
    assert [name for name in COMMANDS if f"`vertune {name}" not in README] == []


def test_every_file_and_folder_it_names_exists() -> None:
    named = re.findall(r"`((?:jobs|datasets|infra|tests)/[\w./-]+)`", README)
    assert len(named) >= 4
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_guard_is_named() -> None:
    assert [name for name in guards.NAMES if f"| `{name}` |" not in README] == []
