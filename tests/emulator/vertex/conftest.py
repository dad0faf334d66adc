"""Vertex served over loopback with a dictionary for storage, and Google's own clients of it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.service import Vertex

PROJECT = "vertune-local"
REGION = "us-central1"
TOPICS = {"football": "sports", "election": "politics", "galaxy": "science", "opera": "culture"}


def example(prompt: str, answer: str, system: str | None = None) -> dict[str, Any]:
    value: dict[str, Any] = {
        "contents": [
            {"role": "user", "parts": [{"text": prompt}]},
            {"role": "model", "parts": [{"text": answer}]},
        ]
    }
    if system:
        value["systemInstruction"] = {"role": "system", "parts": [{"text": system}]}
    return value


def jsonl(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def headlines(count: int = 12) -> bytes:
    words = list(TOPICS.items())
    return jsonl(
        *(
            example(f"{words[number % 4][0]} news number {number}", words[number % 4][1])
            for number in range(count)
        )
    )


class Place:
    """A served Vertex, its objects, and what a test needs to start it again."""

    def __init__(self, folder: Path, trainer: TrainerClient, concurrent_jobs: int = 1) -> None:
        self.objects: dict[str, bytes] = {"gs://data/train.jsonl": headlines()}
        self.state = State(folder)
        self.trainer = trainer
        self.vertex = Vertex(self.state, trainer, self.open, {PROJECT: "0"}, concurrent_jobs)
        self.server = Server(self.vertex.routes())
        self.url = self.server.url

    def start(self) -> None:
        self.server.__enter__()
        self.vertex.start()

    def close(self) -> None:
        self.server.close()
        self.vertex.close()
        self.state.close()

    def open(self, bucket: str, name: str) -> BinaryIO | None:
        data = self.objects.get(f"gs://{bucket}/{name}")
        return None if data is None else io.BytesIO(data)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "state", TrainerClient("nearest-example", tmp_path / "cache"))
    place.start()
    yield place
    place.close()


def genai_client(url: str, location: str = REGION) -> genai.Client:
    return genai.Client(
        vertexai=True,
        project=PROJECT,
        location=location,
        credentials=Credentials(token="local"),
        http_options=types.HttpOptions(base_url=url),
    )
