"""Plugin: serves the provider to the engine that started it; refuses any cloud but the emulator."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc

_MESSAGE_LIMIT = 400 << 20  # as the engine's own


def main() -> None:
    # Before all that takes time: that of an engine which is killed meanwhile is another's.
    engine = os.getppid()
    from jobs.emulator.provider.client import is_loopback

    url = os.environ.get("VERTUNE_EMULATOR_URL", "")
    if not is_loopback(url):
        sys.exit(
            "This provider serves the emulator only: VERTUNE_EMULATOR_URL must be an http address"
            f" on loopback, not {url!r}. `vertune emulator env` sets it."
        )
    server = _server(url)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # the engine reads the first line
    while server.wait_for_termination(timeout=2):  # true: the time is up and it still serves
        if os.getppid() != engine:  # an engine that was killed cannot say so
            server.stop(grace=None)


def _server(url: str) -> grpc.Server:
    import grpc

    from jobs.emulator.provider.protocol import skip_the_sdk

    skip_the_sdk()
    from pulumi.runtime.proto import provider_pb2_grpc

    from jobs.emulator.provider.servicer import Servicer

    server = grpc.server(
        ThreadPoolExecutor(max_workers=16),
        options=[("grpc.max_receive_message_length", _MESSAGE_LIMIT)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(url), server)
    return server


if __name__ == "__main__":
    main()
