"""Bad input: one clear message, the right exit code, nothing half done, and the next run works."""

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.runner import storage
from jobs.runner.vertex import Vertex
from tests.conftest import STACK_SETTINGS, Repository
from tests.end_to_end.world import World

_BIN = Path(sys.prefix) / "bin"
_START = "start it with `vertune emulator start`"


def refused(world: World, *command: str) -> str:
    """What a command says on stderr that must refuse, and print nothing else."""
    ended = world.run(*command)
    assert (ended.returncode, ended.stdout) == (1, ""), ended
    assert "Traceback" not in ended.stderr
    return ended.stderr


def nothing_was_done(world: World) -> bool:
    url = world.server()["url"]
    bucket = storage.bucket("vertune-local", "vertune-local", url)
    jobs = Vertex("vertune-local", "us-central1", url).jobs({})
    return jobs == [] and [blob.name for blob in bucket.list_blobs()] == []


# Files


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A repository with a bucket on a running emulator; no engine is anywhere."""
    root = tmp_path_factory.mktemp("shared")
    for folder in ("jobs", "datasets", ".vertune/emulator"):
        (root / folder).mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: vertune\nruntime: python\nmain: infra/\n")
    (root / "Pulumi.local.yaml").write_text(STACK_SETTINGS)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VERTUNE_", "PULUMI_"))}
    world = World(Repository(root), {**kept, "PATH": str(_BIN)})
    try:
        world.done("vertune", "emulator", "start", "--trainer", "nearest")
        bucket = storage.bucket("vertune-local", "vertune-local", world.server()["url"])
        bucket.create(location="us-central1")
        yield world
    finally:
        world.close()


@pytest.fixture
def good(shared: World) -> World:
    """With one good spec and its data, whatever another test did to them."""
    root = shared.repository.root
    for folder in ("jobs", "datasets"):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir()
    settings = root / "Pulumi.local.yaml"
    settings.rmdir() if settings.is_dir() else settings.unlink(missing_ok=True)
    settings.write_text(STACK_SETTINGS)
    shared.repository.job("one")
    return shared


@dataclass(frozen=True)
class Fault:
    name: str
    file: str
    make: Callable[[Path], object]
    said: str


def add(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes() + data)


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def with_a_line_of_200_megabytes(path: Path) -> None:
    with path.open("ab") as stream:
        for _ in range(200):
            stream.write(b"x" * 1_000_000)


SPEC, DATA, STACK = "jobs/one.yaml", "datasets/one/train.jsonl", "Pulumi.local.yaml"

FAULTS = (
    Fault(
        "a value that cannot be",
        SPEC,
        add(b"labels: 7\n"),
        f"{SPEC}:7: labels: must be a mapping of keys to values",
    ),
    Fault(
        "an unknown key",
        SPEC,
        add(b"budgt_usd: 7\n"),
        f'{SPEC}:7: budgt_usd: is not a key of a spec; did you mean "budget_usd"?',
    ),
    Fault("no YAML", SPEC, add(b"a: [\n"), f"{SPEC}:8: is not YAML"),
    Fault("a spec that is no text", SPEC, add(b"# \xff\n"), f"{SPEC}:7: is not UTF-8"),
    Fault("a spec that is a folder", SPEC, replaced_by_a_folder, f"{SPEC}: is not a file"),
    Fault(
        "a spec of two megabytes", SPEC, add(b"#" * 2_000_000), f"{SPEC}: is larger than 256 KiB"
    ),
    Fault(
        "a line of data that is none",
        DATA,
        add(b'{"input_text": "a", "output": "b"}\n'),
        f'{DATA}:3: has the unknown key "output"',
    ),
    Fault("data that is no text", DATA, add(b'{"\xff": 1}\n'), f"{DATA}:3: is not UTF-8 at byte 3"),
    Fault(
        "a line of 200 MB",
        DATA,
        with_a_line_of_200_megabytes,
        f"{DATA}:3: is longer than 4 MiB; no example may be",
    ),
    Fault(
        "data that is missing",
        DATA,
        Path.unlink,
        f"{SPEC}:3: dataset: datasets/one has no train.jsonl; that is the split to tune on",
    ),
    Fault(
        "data that is a folder",
        DATA,
        replaced_by_a_folder,
        f"{DATA}: cannot be read: Is a directory",
    ),
    Fault(
        "a stack that is missing",
        STACK,
        Path.unlink,
        f'there is no stack "local" ({STACK} is missing)',
    ),
    Fault("a stack that is a folder", STACK, replaced_by_a_folder, f"{STACK}: is not a file"),
    Fault(
        "a setting that cannot be",
        STACK,
        add(b"  vertune:maxUsd: lots\n"),
        f"{STACK}:6: vertune:maxUsd: must be a valid number",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_bad_file_stops_everything_with_one_line(good: World, fault: Fault) -> None:
    fault.make(good.repository.root / fault.file)
    said = refused(good, "vertune", "apply", "--yes")
    assert said.startswith(fault.said)
    assert len(said.splitlines()) == 1
    assert nothing_was_done(good)


def test_every_fault_of_every_file_is_said_at_once(good: World) -> None:
    root = good.repository.root
    good.repository.job("two")
    add(b"labels: 7\nbudgt_usd: 1\n")(root / SPEC)
    add(b"adapter: 4\n")(root / "jobs/two.yaml")
    said = refused(good, "vertune", "apply", "--yes").splitlines()
    assert [line.split(": ")[:2] for line in said] == [
        [f"{SPEC}:7", "labels"],
        [f"{SPEC}:8", "budgt_usd"],
        ["jobs/two.yaml:7", "adapter"],
    ]


@pytest.mark.parametrize("name", ["$(touch pwned)", "`touch pwned`", "; touch pwned", "--help"])
def test_a_spec_that_is_named_like_a_command_is_none_and_runs_nothing(
    good: World, name: str
) -> None:
    root = good.repository.root
    (root / SPEC).rename(root / f"jobs/{name}.yaml")
    said = refused(good, "vertune", "apply", "--yes")
    assert said.startswith(f'jobs/{name}.yaml: "{name}" is no name for a job: a-z, 0-9 and "-"')
    shown = good.run("vertune", "check", "-o", "github")
    assert (shown.returncode, f"jobs/{name}.yaml" in shown.stdout) == (1, True)
    assert list(root.rglob("pwned*")) == []
    assert nothing_was_done(good)


def test_a_long_line_costs_no_memory(good: World) -> None:
    with_a_line_of_200_megabytes(good.repository.root / DATA)
    # A process begins with the memory of the one it was forked from, so a small one starts it.
    starter = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        " print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    printed = good.done(sys.executable, "-c", starter, str(_BIN / "vertune"), "check")
    code, most = map(int, printed.splitlines()[-1].split())
    assert code == 1
    unit = 1 if sys.platform == "darwin" else 1024
    assert most * unit < 150_000_000


def test_once_a_fault_is_mended_the_next_run_works(good: World) -> None:
    path = good.repository.root / DATA
    before = path.read_bytes()
    add(b"{}\n")(path)
    assert refused(good, "vertune", "plan").startswith(f"{DATA}:3: ")
    path.write_bytes(before)
    assert "+ submit one: new" in good.done("vertune", "plan")


# Services


@pytest.fixture
def alone(repository: Repository) -> Iterator[World]:
    """A repository whose emulator was never started."""
    world = World.make(repository)
    repository.job("one")
    try:
        yield world
    finally:
        world.close()


def test_an_emulator_that_does_not_run_and_then_a_stack_without_infrastructure(
    alone: World,
) -> None:
    assert refused(alone, "vertune", "apply", "--yes") == f"the emulator is not running; {_START}\n"
    assert "not running" in refused(alone, "vertune", "emulator", "env")
    alone.start()
    assert refused(alone, "vertune", "apply", "--yes") == (
        "reading the ledger: there is no bucket gs://vertune-local;"
        " run `pulumi up` for this stack\n"
    )
    assert alone.jobs() == 0


def test_a_port_that_is_in_use(alone: World) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = refused(alone, "vertune", "emulator", "start", "--port", port)
    assert said.startswith(f"cannot listen on port {port} of 127.0.0.1")
    assert "choose another with --port" in said
    assert "not running" in refused(alone, "vertune", "emulator", "status")
    alone.start()
    assert "vertune-local" in alone.server()["env"]["GOOGLE_CLOUD_PROJECT"]


def test_no_engine_loses_nothing_that_was_tuned(provisioned_world: World) -> None:
    world = provisioned_world
    world.repository.job("one")
    server = world.repository.root / ".vertune/emulator/server.json"
    engine = world.repository.root / ".vertune/engine"
    before, target = server.read_text("utf-8"), engine.readlink() if engine.exists() else None
    without = json.loads(before)
    without["env"]["PATH"] = str(_BIN)
    server.write_text(json.dumps(without), "utf-8")
    engine.unlink(missing_ok=True)
    shell = World(world.repository, {**world.environment, "PATH": str(_BIN)})
    ended = shell.run("vertune", "apply", "--yes")
    assert ended.returncode == 1
    assert "one: tuned and served" in ended.stderr
    assert ended.stderr.endswith("there is no Pulumi engine; `vertune doctor` says how to get it\n")
    server.write_text(before, "utf-8")
    if target is not None:
        engine.symlink_to(target)
    assert world.outputs()["tuned_models"] == {}
    recorded = json.loads(world.done("vertune", "record", "-o", "json"))
    assert "/models/local-" in recorded["one"]["tuned_model"]
    assert world.outputs()["tuned_models"] == recorded
    assert world.jobs() == 1
