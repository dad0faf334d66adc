"""Outputs: what the stack exports of the ledger, and what is an error instead of nothing."""

import json
import subprocess
import sys

import pytest
from google.cloud.storage import Bucket

from jobs.emulator.emulator import Emulator
from jobs.runner.entry import Score
from jobs.runner.errors import RemoteError, Unreachable
from jobs.runner.ledger import Ledger, tuned_models
from tests.runner import lines
from tests.runner.entries import F1, F2, NAME, entry, opened


@pytest.fixture
def bucket(emulator: Emulator) -> Bucket:
    made = opened(emulator.url)
    made.versioning_enabled = True
    made.create(location="us-central1")
    return made


@pytest.fixture
def ledger(bucket: Bucket) -> Ledger:
    return Ledger(bucket)


def test_outputs_are_empty_without_a_bucket(emulator: Emulator) -> None:
    assert tuned_models(NAME, NAME, emulator.url) == {}


def test_outputs_are_empty_without_a_ledger(emulator: Emulator, bucket: Bucket) -> None:
    assert tuned_models(NAME, NAME, emulator.url) == {}


def test_outputs_hold_what_is_served_and_nothing_else(emulator: Emulator, ledger: Ledger) -> None:
    score = Score(metric="accuracy", n=4, tuned=0.75, base=0.5, low=0.3, high=0.95)
    done = {
        "state": "succeeded",
        "tuned_model": "projects/0/locations/us/models/local-1@1",
        "endpoint": "projects/0/locations/us/endpoints/local-2",
        "job": "projects/0/locations/us-central1/tuningJobs/local-3",
        "finished": "2026-11-23T11:00:00+00:00",
    }
    ledger.create(entry(**done, score=score, stand_in="nearest-example"))
    ledger.create(entry(fingerprint=F2, **done))
    ledger.create(entry(name="kept", **done))
    ledger.activate("one", F1)
    ledger.activate("gone", F1)
    found = tuned_models(NAME, NAME, emulator.url)
    assert list(found) == ["one"]
    assert found["one"] == {
        **{key: done[key] for key in ("tuned_model", "endpoint", "job", "finished")},
        "base_model": "gemini-3.1-flash-lite",
        "fingerprint": F1,
        "dataset_digest": "d" * 64,
        "score": score.model_dump(),
        "simulated": "local simulation: nearest-example stands in for the base model",
    }


def test_outputs_are_an_error_where_nothing_answers() -> None:
    with pytest.raises(Unreachable, match="start it with `vertune emulator start`"):
        tuned_models(NAME, NAME, lines.nobody())


def test_outputs_are_an_error_where_reading_is_forbidden() -> None:
    said = lines.http(
        403,
        json.dumps(
            {
                "error": {
                    "code": 403,
                    "message": "ann does not have storage.objects.list access.",
                    "errors": [{"reason": "forbidden"}],
                }
            }
        ),
    )
    with lines.saying(said) as url, pytest.raises(RemoteError) as error:
        tuned_models(NAME, NAME, url)
    assert str(error.value) == (
        "reading the ledger: 403 forbidden: ann does not have storage.objects.list access.;"
        " `vertune doctor` says whose credentials are in use"
    )


def test_what_infrastructure_imports_loads_no_client_until_it_reads() -> None:
    code = "import json, sys, jobs.runner.ledger; print(json.dumps(list(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(ran.stdout)
    assert "jobs.runner.ledger" in loaded
    heavy = {"google.cloud.storage", "google.genai", "google.auth", "requests", "yaml", "rich"}
    assert heavy.isdisjoint(loaded)
