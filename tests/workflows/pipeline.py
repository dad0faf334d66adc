"""Pipeline: that of GitLab, as far as a test must read it: its jobs, and what an event runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.workflows.files import ROOT

FILE = ROOT / "docs" / "gitlab-ci.yml"
_MAIN = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
_OURS, _FORK = "12", "56"  # projects, by number
_REQUEST = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_PROJECT_ID": _OURS}
# What GitLab says of a pipeline; a schedule may have variables of its own.
EVENTS: Mapping[str, Mapping[str, str]] = {
    "merge request": {**_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": _OURS},
    "fork": {**_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": _FORK},
    "push": {**_MAIN, "CI_PIPELINE_SOURCE": "push"},
    "another branch": {**_MAIN, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "feature"},
    "schedule": {**_MAIN, "CI_PIPELINE_SOURCE": "schedule"},
    "drift": {**_MAIN, "CI_PIPELINE_SOURCE": "schedule", "DRIFT": "yes"},
}
PROJECT = _OURS


class _Loader(yaml.SafeLoader):
    """Leaves a reference to another job's commands as the path that it is."""


def _path(loader: _Loader, node: yaml.SequenceNode) -> tuple[str, ...]:
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("!reference", _path)


def jobs() -> dict[str, dict[str, Any]]:
    """Each with what it extends put in."""
    found: dict[str, Any] = yaml.load(FILE.read_text("utf-8"), _Loader)
    ours = {name: body for name, body in found.items() if "script" in body or "extends" in body}
    return {name: _whole(name, found) for name in ours if not name.startswith(".")}


def of(event: str) -> set[str]:
    """The jobs that GitLab makes for it."""
    return {
        name
        for name, body in jobs().items()
        if any(_holds(rule["if"], EVENTS[event]) for rule in body["rules"])
    }


def lines(body: Mapping[str, Any]) -> Iterator[str]:
    """The commands of a job, in order."""
    found: dict[str, Any] = yaml.load(FILE.read_text("utf-8"), _Loader)
    for line in [*body.get("before_script", ()), *body["script"]]:
        yield from [line] if isinstance(line, str) else lines({"script": found[line[0]][line[1]]})


def _whole(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    body, whole = found[name], dict[str, Any]()
    bases = body.get("extends", [])
    for base in [bases] if isinstance(bases, str) else bases:
        whole = _over(whole, _whole(base, found))
    return _over(whole, body)


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict):
            both[key] = _over(below[key], above[key])
    return both


def _holds(rule: str, variables: Mapping[str, str]) -> bool:
    """By Python, which needs other signs for the same operators."""
    text = re.sub(r"\$(\w+)", lambda name: repr(variables.get(name[1])), rule)
    text = text.replace("&&", "and").replace("||", "or").replace("null", "None")
    return bool(eval(text, {"__builtins__": {}}))
