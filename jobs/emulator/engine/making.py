"""The making of an engine where there is none: one process at a time, and all of it or nothing."""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.emulator.engine import building, found, installer, toolchain
from jobs.emulator.engine.found import Engine, Refused
from jobs.emulator.engine.toolchain import Go

_PREFIX = "engine.new-"
REMEDY = (
    "Put Pulumi 3.200 or a later 3.x on PATH, or let Go reach its module proxy (GOPROXY),"
    " and run this again."
)


class EngineUnavailable(Exception):
    """There is no engine and none could be made: why, and what mends it."""


def ensure(root: Path) -> Engine:
    """The engine of the clone at `root`, made now if there is none yet."""
    if engine := found.find(root):
        return engine
    with _lock(root):
        return found.find(root) or _make(root)


def _make(root: Path) -> Engine:
    refused = found.on_path(root)
    if isinstance(refused, Refused):
        _say(f"Not used: {refused.why}.")
    began = time.monotonic()
    with _staged(root) as home:
        if not _installed(home):
            _built(root, home)
    shutil.rmtree(toolchain.folder(root), ignore_errors=True)
    engine = found.in_clone(root)
    if engine is None:
        raise EngineUnavailable(f"The engine just made does not hold together. {REMEDY}")
    _say(f"Pulumi {engine.version} {engine.source} in {time.monotonic() - began:.0f} s.")
    return engine


def _installed(home: Path) -> bool:
    _say("No Pulumi to use on PATH; asking Pulumi's own installer for one.")
    why_not = installer.install(home)
    version = None if why_not else found.version_of(home / "bin" / "pulumi")
    if version is None:
        _say(f"Not installed: {why_not or 'what it installed does not run'}.")
        shutil.rmtree(home)
        home.mkdir()
        return False
    found.write_stamp(home, version, "installed")
    return True


def _built(root: Path, home: Path) -> None:
    try:
        go = toolchain.go(root, building.needed_go())
        _announce(go)
        version = building.build(go, home)
    except (toolchain.NoToolchain, building.BuildFailed, OSError) as error:
        raise EngineUnavailable(f"Pulumi could not be built: {error}\n{REMEDY}") from error
    found.write_stamp(home, version, "built")


def _announce(go: Go) -> None:
    _say(
        f"Building Pulumi from its Go modules with Go {'.'.join(map(str, go.version))}, once:"
        f" 300 MB to download and about 10 minutes of processor time, shared by"
        f" {os.cpu_count()} cores; a minute if Go has built it before."
    )


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Held by the one process that makes the engine; the system lets go of it if that one dies."""
    folder = root / ".vertune"
    folder.mkdir(exist_ok=True)
    with (folder / "engine.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another process is making the engine; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _staged(root: Path) -> Iterator[Path]:
    """A folder that takes the engine's place when the block ends well, and else is gone."""
    final = found.folder(root)
    for left_over in final.parent.glob(_PREFIX + "*"):
        shutil.rmtree(left_over)
    staged = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=final.parent))
    try:
        yield staged
        shutil.rmtree(final, ignore_errors=True)
        staged.rename(final)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _say(line: str) -> None:
    print(f"engine: {line}", file=sys.stderr, flush=True)
