"""The emulator as a whole: one origin that says what it is, on one folder."""

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from jobs.emulator.emulator import Emulator


def test_it_says_what_it_is_to_who_asks(emulator: Emulator) -> None:
    with urlopen(f"{emulator.url}/") as answer:
        said = json.loads(answer.read())
        server = answer.headers["Server"]

    assert said["emulator"] == "vertune"
    assert "simulation" in said["trainer"]
    assert server == "vertune-emulator"


def test_it_may_be_closed_without_having_served(tmp_path: Path) -> None:
    Emulator(tmp_path / "emulator", trainer="nearest").close()


def test_a_trainer_there_is_not_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'gpt'.*smollm2.*nearest"):
        Emulator(tmp_path / "emulator", trainer="gpt")
