"""The genuine provider's calls, as recorded: the emulator answers them all as it needs them.

The recording is of a stack that comes up, is looked at, refreshed, changed, found changed by
others, repaired and destroyed. Its etags and generations were another server's, so each is
replaced by what the emulator answered in the same place; a null stands for any value at all.
A second one is of roles of one's own, channels, alert policies and budgets.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from jobs.emulator.emulator import Emulator

DATA = Path(__file__).parents[1] / "data"
CALLS = [
    {**json.loads(line), "stack": stack}
    for stack in ("provider", "guardrail")
    for line in (DATA / f"{stack}-calls.jsonl").read_text().splitlines()
]
ISSUED = ("etag", "generation")  # never equal, and repeated by later calls
MADE_UP = re.compile(r"/(notificationChannels|alertPolicies|budgets)\?")  # with an id in it
DELETED = re.compile(r"deleted:(serviceAccount:[^?]+)\?uid=\d+")

Answered = tuple[dict[str, Any], requests.Response]


@dataclass
class Replay:
    url: str
    etags: dict[tuple[str, str], str] = field(default_factory=dict)  # by place, as recorded
    generations: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # that the service made up

    def renamed(self, call: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(call)
        for recorded, actual in self.names.items():
            text = text.replace(recorded, actual)
        return dict(json.loads(text))

    def call(self, call: dict[str, Any]) -> requests.Response:
        path, body = call["path"], call.get("body")
        for recorded, actual in self.generations.items():
            path = path.replace(f"generation={recorded}", f"generation={actual}")
        kind = "application/json" if isinstance(body, dict) else "application/x-www-form-urlencoded"
        if isinstance(body, dict):
            body = json.dumps(self._current(body, _place(path)))
        headers = {"Content-Type": kind} if body else {}
        return requests.request(
            call["method"], self.url + path, data=body, headers=headers, timeout=10
        )

    def learn(self, recorded: Any, actual: Any, place: str) -> None:
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for key, value in recorded.items():
                if key == "etag":
                    self.etags[place, value] = actual[key]
                elif key == "generation":
                    self.generations[value] = actual[key]
                self.learn(value, actual.get(key), place)
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in zip(recorded, actual, strict=False):
                self.learn(one, other, place)

    def learn_name(self, call: dict[str, Any], actual: dict[str, Any]) -> None:
        made_up = call["method"] == "POST" and MADE_UP.search(call["path"])
        if made_up and call["answer"]["name"] != actual["name"]:
            self.names[call["answer"]["name"]] = actual["name"]

    def _current(self, body: dict[str, Any], place: str) -> dict[str, Any]:
        return {
            key: self._current(value, place)
            if isinstance(value, dict)
            else (self.etags[place, value] if key == "etag" else value)
            for key, value in body.items()
        }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Answered]]:
    folder, projects = tmp_path_factory.mktemp("replay"), {"demo-proj": "123456789012"}
    with Emulator(folder, trainer="nearest", projects=projects) as emulator:
        replay, answers = Replay(emulator.url), list[Answered]()
        for call in CALLS:
            answer = replay.call(replay.renamed(call))
            if answer.content:
                replay.learn(call.get("answer"), answer.json(), _place(call["path"]))
                replay.learn_name(call, answer.json())
            answers.append((replay.renamed(call), answer))
        yield answers


@pytest.mark.parametrize(
    ("stack", "step"), sorted({(call["stack"], call["step"]) for call in CALLS})
)
def test_every_call_of_the_provider_is_answered_as_it_needs(
    answers: list[Answered], stack: str, step: str
) -> None:
    for call, answer in answers:
        if (call["stack"], call["step"]) == (stack, step):
            where = f"{call['method']} {call['path']}"
            assert answer.status_code == call["status"], (where, answer.text)
            if call.get("answer"):
                assert _lacking(call["answer"], answer.json()) == [], (where, answer.text)


def _place(path: str) -> str:
    """Whose etag it is that a call reads or writes."""
    return re.sub(r"(:[gs]etIamPolicy)?(\?.*)?$", "", path)


def _lacking(recorded: Any, actual: Any, path: str = "") -> list[str]:
    """Where the answer has not what the recorded one had; more than that it may have."""
    if recorded is None:
        return [] if actual is not None else [path]
    if isinstance(recorded, dict):
        return [
            place
            for key, value in recorded.items()
            for place in _lacking(
                None if key in ISSUED else value,
                actual.get(key) if isinstance(actual, dict) else None,
                f"{path}.{key}",
            )
        ]
    if isinstance(recorded, list):
        found = actual if isinstance(actual, list) else []
        return [
            f"{path}[{place}]"
            for place, one in enumerate(recorded)
            if all(_lacking(one, other) for other in found)
        ]
    # In the recording a deleted account stayed bound; the cloud marks it, and so do we.
    if isinstance(actual, str):
        actual = DELETED.sub(r"\1", actual)
    return [] if recorded == actual else [path]
