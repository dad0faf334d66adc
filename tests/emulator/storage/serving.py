"""Serving: storage alone on a folder, and Google's client connected to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from jobs.emulator.principals import Principals
from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.storage.service import Storage

PROJECT = "demo"
NUMBERS = {PROJECT: "123"}


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    state = State(folder)
    storage = Storage(state, Principals(state, NUMBERS), NUMBERS)
    try:
        with Server(storage.routes()) as server:
            yield server.url
    finally:
        state.close()


@contextmanager
def connect(url: str) -> Iterator[Client]:
    client = Client(
        PROJECT, credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    )
    try:
        yield client
    finally:
        client.close()
