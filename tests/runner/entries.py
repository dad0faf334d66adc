"""Entries: recorded tunings in few words, and the bucket they are in."""

from google.cloud.storage import Bucket

from jobs.runner import storage
from jobs.runner.entry import Entry

NAME = "vertune-local"
F1, F2 = "1" * 64, "2" * 64


def entry(name: str = "one", fingerprint: str = F1, **values: object) -> Entry:
    given: dict[str, object] = {
        "stack": "local",
        "state": "submitting",
        "inputs": {"base_model": "gemini-3.1-flash-lite", "dataset": "d" * 64},
        "created": "2026-11-23T10:00:00+00:00",
        "spec": f"jobs/{name}.yaml",
        "holder": "here:1:ab",
        "dataset_uri": f"gs://{NAME}/datasets/d/train.jsonl",
        "splits": {"train": 2},
    }
    return Entry.model_validate({"name": name, "fingerprint": fingerprint} | given | values)


def opened(url: str) -> Bucket:
    return storage.bucket(NAME, NAME, url)
