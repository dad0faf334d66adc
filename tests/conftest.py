"""Fixtures of all rooms: an emulator with an instant trainer, and a small repository on it.

And the figures of what was killed and cut, added up over the processes that the tests ran in.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import settings

from jobs.emulator.emulator import Emulator
from jobs.runner import storage
from tests.faults import figures

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

STACK_SETTINGS = """\
config:
  gcp:project: vertune-local
  gcp:region: us-central1
  vertune:bucket: vertune-local
  vertune:emulator: "true"
"""

SPEC = """\
task: classification
base_model: gemini-3.1-flash-lite
dataset: datasets/{name}
tuning:
  epochs: 2
evaluation: {{metric: accuracy}}
"""


def example(text: str, answer: str) -> str:
    prompt = f"What is the topic? Text: {text}\nThe answer is:"
    return json.dumps({"input_text": prompt, "output_text": answer}) + "\n"


@dataclass(frozen=True)
class Repository:
    """A folder laid out as a user's repository, for the stack `local`."""

    root: Path

    def spec(self, name: str, text: str | None = None) -> Path:
        path = self.root / "jobs" / f"{name}.yaml"
        path.write_text(text if text is not None else SPEC.format(name=name), "utf-8")
        return path

    def data(self, name: str, split: str, *examples: tuple[str, str]) -> Path:
        path = self.root / "datasets" / name / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(example(*pair) for pair in examples), "utf-8")
        return path

    def job(self, name: str, answer: str = "sports") -> None:
        """A spec with a small dataset of its own."""
        self.spec(name)
        self.data(name, "train", (f"{name} match", answer), ("bank merger", "business"))
        self.data(name, "test", (f"{name} match again", answer))


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(tmp_path / "emulator", trainer="nearest") as running:
        yield running


def laid_out(root: Path) -> Repository:
    for folder in ("jobs", "datasets", ".vertune/emulator"):
        (root / folder).mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: vertune\nruntime: python\nmain: infra/\n", "utf-8")
    (root / "Pulumi.local.yaml").write_text(STACK_SETTINGS, "utf-8")
    return Repository(root)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return laid_out(tmp_path / "repository")


@pytest.fixture
def provisioned(repository: Repository, emulator: Emulator) -> Repository:
    """The repository with the emulator running for it, and the stack's bucket made."""
    server = {"url": emulator.url, "env": {}, "pid": 0}
    (repository.root / ".vertune/emulator/server.json").write_text(json.dumps(server), "utf-8")
    bucket = storage.bucket("vertune-local", "vertune-local", emulator.url)
    bucket.versioning_enabled = True
    bucket.create(location="us-central1")
    return repository


def pytest_configure() -> None:
    """Google's library reads once, when it is imported, that no metadata server is to be asked."""
    os.environ["NO_GCE_CHECK"] = "true"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first: begun last, it would keep one core waiting at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (sent := getattr(session.config, "workeroutput", None)) is not None:
        sent["figures"] = figures.all_of_them()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for title, found in getattr(node, "workeroutput", {}).get("figures", {}).items():
        figures.TITLES[title].add(found)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    for title, found in figures.TITLES.items():
        if found.cases:
            terminalreporter.section(title)
            for line in found.lines():
                terminalreporter.write_line(line)
