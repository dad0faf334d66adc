"""The emulator as a whole: one origin that says what it is, on one folder."""

import json
from pathlib import Path
from urllib.request import urlopen

import pytest
import requests

from jobs.emulator.emulator import Emulator
from tests.emulator.vertex.place import headlines, order
from tests.emulator.wire import Wire


def test_it_says_what_it_is_to_who_asks(emulator: Emulator) -> None:
    with urlopen(f"{emulator.url}/") as answer:
        said = json.loads(answer.read())
        server = answer.headers["Server"]

    assert said["emulator"] == "vertune"
    assert "simulation" in said["trainer"]
    assert server == "vertune-emulator"


def test_its_quota_of_tuning_jobs_is_the_one_it_was_given(tmp_path: Path) -> None:
    with Emulator(tmp_path, trainer="nearest", max_tuning_jobs=0) as emulator:
        wire = Wire(emulator.url)
        wire.call("POST", "/storage/v1/b?project=vertune-local", {"name": "data"})
        upload = f"{emulator.url}/upload/storage/v1/b/data/o?uploadType=media&name=train.jsonl"
        requests.post(upload, headlines(), timeout=20).raise_for_status()

        path = "/v1/projects/vertune-local/locations/us-central1/tuningJobs"
        assert wire.refused("POST", path, order())[0] == 429


def test_it_may_be_closed_without_having_served(tmp_path: Path) -> None:
    Emulator(tmp_path / "emulator", trainer="nearest").close()


def test_a_trainer_there_is_not_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'"gpt"; there are: smollm2, nearest'):
        Emulator(tmp_path / "emulator", trainer="gpt")
