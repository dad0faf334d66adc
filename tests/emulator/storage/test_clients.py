"""Clients that find the emulator by the environment, as programs that know nothing of it do."""

import pytest
from google.cloud.storage import Client


def test_a_client_follows_the_emulators_variable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    client = Client("demo")
    bucket = client.create_bucket("found-by-environment")
    bucket.blob("x").upload_from_string("anonymous")
    assert bucket.blob("x").download_as_bytes() == b"anonymous"
    client.close()
