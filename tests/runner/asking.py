"""Asking: what tests order of Vertex AI, and answers as the service words them."""

import json
from typing import Any

from jobs.runner.vertex import Order, Vertex
from tests.runner import lines

PROJECT = "vertune-local"
REGION = "us-central1"
JOB = f"projects/{PROJECT}/locations/{REGION}/tuningJobs/7"
TRAIN = f"gs://{PROJECT}/train.jsonl"


def order(**values: Any) -> Order:
    given: dict[str, Any] = {
        "name": "one-12345678",
        "base_model": "gemini-3.1-flash-lite",
        "train_uri": TRAIN,
        "validation_uri": None,
        "epochs": 2,
        "learning_rate_multiplier": None,
        "adapter_size": None,
        "labels": {"vertune-spec": "one"},
    }
    return Order(**(given | values))


def opened(url: str | None, location: str = REGION) -> Vertex:
    return Vertex(PROJECT, location, url)


def answer(body: Any, status: int = 200) -> bytes:
    return lines.http(status, json.dumps(body))


def refusal(status: int, reason: str, message: str, **more: Any) -> bytes:
    return answer({"error": {"code": status, "status": reason, "message": message, **more}}, status)
