"""Fixtures of the storage tests: one served emulator, and a bucket of its own for each test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from google.cloud.storage import Bucket, Client

from tests.emulator.storage.serving import connect, serving


@pytest.fixture(autouse=True)
def _only_asked_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's background look at the bucket would race with the test's end."""
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("storage")) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a test that serves its own state."""
    return tmp_path / "state"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with connect(url) as client:
        yield client


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def new_bucket(client: Client) -> Callable[..., Bucket]:
    """Makes a bucket after `prepare` has set what it should have."""

    def make(
        prepare: Callable[[Bucket], object] = lambda bucket: None, location: str = "us-central1"
    ) -> Bucket:
        bucket = client.bucket(f"test-{uuid.uuid4().hex}")
        prepare(bucket)
        bucket.create(location=location)
        return bucket

    return make


@pytest.fixture
def bucket(new_bucket: Callable[..., Bucket]) -> Bucket:
    return new_bucket()
