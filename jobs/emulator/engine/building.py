"""The build of the engine from Go modules: the command line, then its Python language host."""

import shutil
from collections import Counter, deque
from contextlib import AbstractContextManager
from pathlib import Path

from jobs.emulator.engine import pins, progress
from jobs.emulator.engine.children import Child, started
from jobs.emulator.engine.pins import CLI, LANGUAGE, SDK, Module
from jobs.emulator.engine.progress import Kind, Meter
from jobs.emulator.engine.toolchain import Go

_STALE = "{{if .Stale}}{{.ImportPath}}{{end}}"
_EXECUTOR = "pulumi-language-python-exec"
_LINES_OF_AN_ERROR = 12


class BuildFailed(Exception):
    """What Go said last."""


def needed_go() -> pins.Version:
    return max(CLI.go, LANGUAGE.go)


def build(go: Go, home: Path) -> str:
    """Builds both programs into `home/bin`; returns the version of the command line."""
    (home / "bin").mkdir()
    version = CLI.version_of(SDK)
    _build(go, CLI, home, f"-X {SDK}/go/common/version.Version={version}")
    _build(go, LANGUAGE, home)
    _copy_executor(go, home)
    return version.removeprefix("v")


def _build(go: Go, module: Module, home: Path, variables: str = "") -> None:
    # Both commands get the same flags, since these decide which packages are stale.
    flags = ["-ldflags", f"-s -w {variables}".strip()]
    # Counting what is to compile downloads the source; Go compiles nothing that is in its cache.
    listing = ["list", "-deps", *flags, "-f", _STALE, module.package]
    fetching = Meter(f"  fetching {module.name}", "modules", "downloading")
    stale = _run(go, module, listing, fetching)["package"]
    output = home / "bin" / module.name
    building = ["build", "-v", *flags, "-o", str(output), module.package]
    _run(go, module, building, Meter(f"  compiling {module.name}", "packages", "package", stale))


def _copy_executor(go: Go, home: Path) -> None:
    """The script that the language host starts a program with lies beside its source."""
    with _started(go, LANGUAGE, ["list", "-m", "-f", "{{.Dir}}", SDK]) as process:
        folder, _ = process.communicate()
    target = home / "bin" / _EXECUTOR
    shutil.copyfile(Path(folder.rstrip("\n")) / "python" / "cmd" / _EXECUTOR, target)
    target.chmod(0o755)


def _run(go: Go, module: Module, arguments: list[str], meter: Meter) -> Counter[Kind]:
    """Runs Go with the meter shown; returns how many lines of each kind it wrote."""
    kinds = Counter[Kind]()
    said = deque[str](maxlen=_LINES_OF_AN_ERROR)
    with progress.shown(meter) as count, _started(go, module, arguments) as process:
        assert process.stdout is not None
        for line in map(str.rstrip, process.stdout):
            kind = progress.kind(line)
            kinds[kind] += 1
            if kind == meter.counts:
                count()
            if kind == "said":
                said.append(line)
    if process.returncode:
        raise BuildFailed("\n".join(said) or f"go {arguments[0]} exited with {process.returncode}")
    return kinds


def _started(go: Go, module: Module, arguments: list[str]) -> AbstractContextManager[Child]:
    return started([go.command, *arguments], cwd=module.folder, env=go.environment())
