"""The genuine provider's calls, as recorded: the emulator answers them all as it needs them.

The recording is of a stack that comes up, is looked at, refreshed, changed, found changed by
others, repaired and destroyed. Its etags and generations were another server's, so each is
replaced by what the emulator answered in the same place; a null stands for any value at all.
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

CALLS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/provider-calls.jsonl").read_text().splitlines()
]
ISSUED = ("etag", "generation")  # never equal, and repeated by later calls
DELETED = re.compile(r"deleted:(serviceAccount:[^?]+)\?uid=\d+")


@dataclass
class Replay:
    url: str
    etags: dict[tuple[str, str], str] = field(default_factory=dict)  # by place, as recorded
    generations: dict[str, str] = field(default_factory=dict)

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

    def _current(self, body: dict[str, Any], place: str) -> dict[str, Any]:
        return {
            key: self._current(value, place)
            if isinstance(value, dict)
            else (self.etags[place, value] if key == "etag" else value)
            for key, value in body.items()
        }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[requests.Response]]:
    folder, projects = tmp_path_factory.mktemp("replay"), {"demo-proj": "123456789012"}
    with Emulator(folder, trainer="nearest", projects=projects) as emulator:
        replay, answers = Replay(emulator.url), []
        for call in CALLS:
            answer = replay.call(call)
            if answer.content:
                replay.learn(call.get("answer"), answer.json(), _place(call["path"]))
            answers.append(answer)
        yield answers


@pytest.mark.parametrize("step", sorted({call["step"] for call in CALLS}))
def test_every_call_of_the_provider_is_answered_as_it_needs(
    answers: list[requests.Response], step: str
) -> None:
    for call, answer in zip(CALLS, answers, strict=True):
        if call["step"] == step:
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
