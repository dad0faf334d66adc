"""A served Vertex, Google's own clients of it, and what tests say to both."""

import io
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import Catalog
from jobs.emulator.vertex.service import Vertex

PROJECT = "vertune-local"
REGION = "us-central1"
HERE = f"projects/{PROJECT}/locations/{REGION}"
TRAIN = "gs://data/train.jsonl"
BASE = "gemini-3.1-flash-lite"
TOPICS = (("football", "sports"), ("election", "politics"), ("galaxy", "science"))

T = TypeVar("T")


class Place:
    """One emulated Vertex in a folder; a second one in the same folder is its restart."""

    def __init__(
        self,
        folder: Path,
        trainer: TrainerClient,
        concurrent_jobs: int = 1,
        quota: int | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.objects: dict[str, bytes] = {TRAIN: headlines()}
        self.state = State(folder)
        self.trainer = trainer
        numbers = {PROJECT: "0", "other": "1"}
        self.vertex = Vertex(
            self.state, trainer, self._open, numbers, concurrent_jobs, quota, catalog
        )
        self.server = Server(self.vertex.routes())
        self.url = self.server.url
        self._clients: list[genai.Client] = []

    def __enter__(self) -> "Place":
        self.server.__enter__()
        self.vertex.start()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()
        self.server.close()
        self.vertex.close()
        self.state.close()

    def client(self, location: str = REGION) -> genai.Client:
        client = genai.Client(
            vertexai=True,
            project=PROJECT,
            location=location,
            credentials=Credentials(token="local"),
            http_options=types.HttpOptions(base_url=self.url),
        )
        self._clients.append(client)  # a client that nobody holds closes itself in mid-call
        return client

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of a plain request, as a client of any language sends it."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/{path}", data, method=method)
        try:
            with urlopen(request) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def create(self, root: str = "v1beta1", **fields: Any) -> Any:
        """A new tuning job as the wire has it; it must be accepted."""
        status, job = self.call("POST", f"{root}/{HERE}/tuningJobs", order(**fields))
        assert status == 200, job
        return job

    def job(self, name: str) -> Any:
        return self.call("GET", f"v1/{name}")[1]

    def finished(self, name: str) -> Any:
        """The job once it has ended."""
        return until(lambda: self.job(name), lambda job: "endTime" in job)

    def tuned(self, **fields: Any) -> Any:
        """A job that has succeeded."""
        job = self.finished(self.create(**fields)["name"])
        assert job["state"] == "JOB_STATE_SUCCEEDED", job
        return job

    def _open(self, bucket: str, name: str) -> BinaryIO | None:
        data = self.objects.get(f"gs://{bucket}/{name}")
        return None if data is None else io.BytesIO(data)


def order(**fields: Any) -> dict[str, Any]:
    """The body of a create; `epochs` is short for the hyperparameter."""
    epochs = fields.pop("epochs", None)
    hyper_parameters = {} if epochs is None else {"epochCount": epochs}
    spec = {"trainingDatasetUri": TRAIN, "hyperParameters": hyper_parameters}
    spec |= fields.pop("spec", {})
    return {"baseModel": BASE, "supervisedTuningSpec": spec, **fields}


def example(prompt: str, answer: str) -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": prompt}]},
            {"role": "model", "parts": [{"text": answer}]},
        ]
    }


def jsonl(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def headlines(count: int = 12) -> bytes:
    pairs = [TOPICS[number % len(TOPICS)] for number in range(count)]
    return jsonl(*(example(f"{word} news {i}", topic) for i, (word, topic) in enumerate(pairs)))


def until(look: Callable[[], T], good: Callable[[T], bool], patience: float = 20.0) -> T:
    """What `look` sees once it is good, as a client that polls sees it."""
    deadline = time.monotonic() + patience
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"never came true, last seen: {seen}"
        time.sleep(0.005)
    return seen


def quietly(call: Callable[[], T]) -> T:
    """google-genai warns that its tuning methods are experimental."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental.*")
        return call()
