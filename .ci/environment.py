"""The clone's environment: `.venv` with what uv.lock pins, made or mended only when it has to be.

Runs before anything is installed, so it imports the standard library alone.
"""

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
PYTHON_VERSION = platform.python_version()
# Written last, with what the environment was made from.
STAMP = VENV / "made-from"
# There while packages are being installed: an interrupted installation is not worth mending.
UNFINISHED = VENV / "unfinished"

_SECONDS_BETWEEN_LINES = 15.0


class Failed(Exception):
    """A step that did not succeed, with the last words of what it ran."""


def main() -> int:
    if _is_made():
        return 0
    try:
        with _lock():
            if not _is_made():
                _make()
    except Failed as error:
        print(f"environment: {error}", file=sys.stderr)
        return 1
    return 0


def _is_made() -> bool:
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == _made_from()


def _made_from() -> str:
    total = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("pyproject.toml", "uv.lock"):
        total.update((ROOT / name).read_bytes())
    return total.hexdigest()


def _make() -> None:
    version, hashes = _pinned_uv()
    if UNFINISHED.exists() or not _has(version):
        _make_with_uv(version, hashes)
    with _step("installing the packages that uv.lock pins"):
        STAMP.unlink(missing_ok=True)
        UNFINISHED.touch()
        _run(UV, "sync", "--frozen", "--all-extras", "--quiet")
        UNFINISHED.unlink()
    STAMP.write_text(_made_from())


def _has(version: str) -> bool:
    """Whether the environment was made here, with this Python, and has this uv."""
    settings = VENV / "pyvenv.cfg"
    if not (settings.exists() and PYTHON.exists() and UV.exists()):
        return False
    # A folder that was moved has scripts that start the Python of the old place.
    lines = (f"version = {PYTHON_VERSION}\n", f"{VENV}\n")
    said = subprocess.run([UV, "--version"], capture_output=True, text=True).stdout
    return all(line in settings.read_text() for line in lines) and said.split()[1:2] == [version]


def _make_with_uv(version: str, hashes: list[str]) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise Failed(
            f"{sys.executable} has no venv module. Install it (Debian, Ubuntu: `apt install"
            " python3-venv`) or name another Python: `make PYTHON=python3.12`."
        )
    with _step(f"making .venv with Python {PYTHON_VERSION} and uv {version}"):
        if VENV.exists():
            shutil.rmtree(VENV)
        _run(sys.executable, "-m", "venv", str(VENV))
        UNFINISHED.touch()
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
            pinned.write(f"uv=={version} {' '.join(f'--hash={each}' for each in hashes)}\n")
            pinned.flush()
            pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _run(*pip, "--require-hashes", "-r", pinned.name)
        UNFINISHED.unlink()


def _pinned_uv() -> tuple[str, list[str]]:
    """The version of uv in uv.lock, and the hashes of its files."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    (uv,) = (package for package in lock["package"] if package["name"] == "uv")
    return uv["version"], [file["hash"] for file in [uv["sdist"], *uv["wheels"]]]


def _run(*command: str | Path) -> None:
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ran.returncode:
        raise Failed(f"`{' '.join(map(str, command))}` failed:\n{ran.stdout.strip()}")


def _environment() -> dict[str, str]:
    """The user's, with uv held to this Python and to a cache that can be written."""
    ours = {"UV_PYTHON": str(PYTHON), "UV_PYTHON_DOWNLOADS": "never"}
    ours["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    if not os.access(os.environ.get("HOME", ""), os.W_OK):
        ours |= {"UV_CACHE_DIR": str(ROOT / ".vertune" / "cache" / "uv"), "PIP_NO_CACHE_DIR": "1"}
    return os.environ | ours


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Says what is being done, that it still is, and how long it took."""
    began = time.monotonic()
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LINES):
            _say(f"{title}: {time.monotonic() - began:.0f} s so far")

    _say(f"{title}.")
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
    _say(f"done in {time.monotonic() - began:.1f} s.")


@contextmanager
def _lock() -> Iterator[None]:
    (ROOT / ".vertune").mkdir(exist_ok=True)
    with (ROOT / ".vertune" / "environment.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process is making it; waiting.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    print(f"environment: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
