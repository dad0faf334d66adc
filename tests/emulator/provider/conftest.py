"""Fixtures of the provider's tests: a provider that serves, and an engine that asks it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2_grpc

from jobs.emulator.emulator import Emulator
from jobs.emulator.provider.servicer import Servicer
from tests.emulator.provider.engine import Engine
from tests.emulator.provider.samples import POOLS, RINGS
from tests.emulator.wire import Wire


@pytest.fixture
def engine(emulator: Emulator) -> Iterator[Engine]:
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(emulator.url), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        engine = Engine(provider_pb2_grpc.ResourceProviderStub(channel))
        engine.configure()
        yield engine
    server.stop(grace=None).wait()


@pytest.fixture(autouse=True)
def made_before(wire: Wire) -> None:
    """What the samples refer to."""
    project = "/v1/projects/vertune-local"
    wire.call("POST", "/storage/v1/b?project=vertune-local", {"name": "made-before"})
    wire.call("POST", f"{project}/serviceAccounts", {"accountId": "made-before"})
    wire.call("POST", f"/v1/{POOLS}?workloadIdentityPoolId=made-before", {})
    wire.call("POST", f"/v1/{RINGS}?keyRingId=made-before", {})
    wire.call("POST", f"/v1/{RINGS}/made-before/cryptoKeys?cryptoKeyId=made-before", {})
