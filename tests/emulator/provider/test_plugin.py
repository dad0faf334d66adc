"""Plugin: the executable as the engine starts it, and the addresses it refuses to work for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from jobs.emulator import provider
from jobs.emulator.provider.client import is_loopback

PLUGIN = Path(provider.__file__).parents[1] / "plugin/pulumi-resource-gcp"


@contextmanager
def started(url: str | None) -> Iterator[subprocess.Popen[str]]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    environment.pop("VERTUNE_EMULATOR_URL", None)
    if url is not None:
        environment["VERTUNE_EMULATOR_URL"] = url
    with subprocess.Popen(
        [PLUGIN, "--logtostderr", "-v=3", "127.0.0.1:1"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_says_its_port_and_the_version_of_the_sdk() -> None:
    with started("http://127.0.0.1:1") as plugin:
        assert plugin.stdout
        port = int(plugin.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = ResourceProviderStub(channel)
            assert stub.GetPluginInfo(Empty()).version == version("pulumi-gcp")
            stub.Cancel(Empty())


@pytest.mark.parametrize("url", [None, "", "https://storage.googleapis.com", "http://10.0.0.1:80"])
def test_it_works_for_no_cloud_but_the_emulator(url: str | None) -> None:
    with started(url) as plugin:
        out, error = plugin.communicate(timeout=60)
    assert plugin.returncode == 1
    assert out == ""
    assert "VERTUNE_EMULATOR_URL must be an http address on loopback" in error


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://[::1]:8080", True),
        ("http://127.0.0.1.example.com", False),
        ("http://0.0.0.0:8080", False),
        ("https://127.0.0.1:8080", False),
        ("127.0.0.1:8080", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_what_only_looks_like_it(url: str, allowed: bool) -> None:
    assert is_loopback(url) is allowed


def test_an_engine_that_was_killed_does_not_leave_it_behind() -> None:
    start = "import subprocess, sys; subprocess.run([sys.executable, '-m', sys.argv[1]])"
    with subprocess.Popen(
        [sys.executable, "-c", start, provider.__name__],
        env=os.environ | {"VERTUNE_EMULATOR_URL": "http://127.0.0.1:1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stdout
        assert int(engine.stdout.readline())
        engine.kill()
        assert engine.stdout.read() == ""  # returns when the last that could write is gone
