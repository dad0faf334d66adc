"""Stack: settings with their lines, an emulator that is really one, and outputs from the engine."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.emulator import engine
from jobs.emulator.emulator import Emulator
from jobs.runner import stack
from jobs.runner.commands import Place
from jobs.runner.errors import Problems, Unreachable, VertuneError
from jobs.runner.stack import Stack
from tests.conftest import Repository
from tests.runner import lines, shell

CLONE = Path(__file__).resolve().parents[2]
SERVER = ".vertune/emulator/server.json"
START = "start it with `vertune emulator start`"
CLOUD = "config:\n  gcp:project: p\n  gcp:region: us-central1\n  vertune:bucket: b\n"


def refused(root: Path, name: str = "local") -> str:
    with pytest.raises(VertuneError) as error:
        stack.load(root, name)
    return str(error.value)


def published(repository: Repository, url: object, env: object = None) -> None:
    text = json.dumps({"url": url, "env": {} if env is None else env, "pid": 1})
    (repository.root / SERVER).write_text(text, "utf-8")


# The repository and its settings


def test_a_repository_is_found_from_any_folder_in_it(repository: Repository) -> None:
    deep = repository.root / "datasets/one/more"
    deep.mkdir(parents=True)
    assert stack.find_root(deep) == stack.find_root(repository.root) == repository.root


def test_outside_of_a_repository_it_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: other")
    with pytest.raises(VertuneError, match=r"no Pulumi\.yaml beside jobs/ here or above"):
        stack.find_root(tmp_path)


def test_a_stack_that_is_not_there_is_guessed_at(repository: Repository) -> None:
    (repository.root / "Pulumi.prod.eu.yaml").write_text(CLOUD)
    assert refused(repository.root, "locl") == (
        'there is no stack "locl" (Pulumi.locl.yaml is missing); did you mean "local"?'
    )
    assert 'did you mean "prod.eu"?' in refused(repository.root, "prodeu")
    assert refused(repository.root, "xyz").endswith("; known: local, prod.eu")


def test_every_wrong_setting_is_said_with_its_line(repository: Repository) -> None:
    text = """\
config:
  gcp:project: 7
  vertune:bucket:
    secure: v1:abc
  vertune:emulator: perhaps
  vertune:maxUsd: much
  vertune:maxConcurrentJobs: 0
"""
    (repository.root / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(Problems) as error:
        stack.load(repository.root, "dev")
    assert str(error.value).splitlines() == [
        "Pulumi.dev.yaml:2: gcp:project: must be text; put it in quotes",
        "Pulumi.dev.yaml:2: gcp:region: is missing; every stack needs it",
        "Pulumi.dev.yaml:3: vertune:bucket: must be text; put it in quotes",
        "Pulumi.dev.yaml:5: vertune:emulator: must be a valid boolean, unable to interpret input",
        "Pulumi.dev.yaml:6: vertune:maxUsd: must be a valid number,"
        " unable to parse string as a number",
        "Pulumi.dev.yaml:7: vertune:maxConcurrentJobs: must be greater than or equal to 1",
    ]


def test_prices_are_of_base_models_and_more_than_nothing(repository: Repository) -> None:
    text = CLOUD + "  vertune:prices:\n    gemini-3.1-flash-light: 2\n    gemini-3.5-flash: 0\n"
    (repository.root / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(Problems) as error:
        stack.load(repository.root, "dev")
    assert str(error.value).splitlines() == [
        "Pulumi.dev.yaml:6: vertune:prices.gemini-3.1-flash-light: must name base models:"
        ' "gemini-3.1-flash-light" is no base model that can be tuned; did you mean'
        ' "gemini-3.1-flash-lite"?',
        "Pulumi.dev.yaml:7: vertune:prices.gemini-3.5-flash: must be greater than 0",
    ]


@pytest.mark.parametrize(
    "text", ["", "config:\n", "config: 3\n", "config: [a]\n", "[]", "config: {", "\x00", "a: *b"]
)
def test_a_settings_file_of_any_other_shape_is_named(repository: Repository, text: str) -> None:
    (repository.root / "Pulumi.dev.yaml").write_text(text)
    assert refused(repository.root, "dev").startswith("Pulumi.dev.yaml")


def test_a_folder_in_the_place_of_settings_is_named(repository: Repository) -> None:
    (repository.root / "Pulumi.dev.yaml").mkdir()
    assert refused(repository.root, "dev") == "Pulumi.dev.yaml: is not a file"


def test_a_spend_cap_is_not_lost_to_a_misspelling(repository: Repository) -> None:
    (repository.root / "Pulumi.dev.yaml").write_text(f"{CLOUD}  vertune:maxUSD: 5\n")
    said = 'Pulumi.dev.yaml:5: vertune:maxUSD: is no setting; did you mean "vertune:maxUsd"?'
    assert refused(repository.root, "dev") == said


def test_settings_that_only_the_program_reads_are_let_through(repository: Repository) -> None:
    more = """\
  vertune:labels: {team: search}
  vertune:deletionProtection: true
  vertune:softDeleteDays: 7
  vertune:noncurrentDays: 30
  vertune:servingLocation: us
  other:key: value
"""
    (repository.root / "Pulumi.dev.yaml").write_text(CLOUD + more)
    assert stack.settings(repository.root, "dev").serving_location == "us"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_stacks_of_this_repository_can_be_read(name: str) -> None:
    assert not stack.settings(CLONE, name).emulator


# Where services answer


def test_a_cloud_stack_has_no_endpoint_whatever_runs_or_is_set(
    provisioned: Repository, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, emulator.url)
    (provisioned.root / "Pulumi.dev.yaml").write_text(CLOUD)
    place = Place("dev", provisioned.root)
    assert (place.stack.endpoint, place.stack.simulated, place.stack.environment) == (
        None,
        False,
        {},
    )
    assert place.bucket.client.api_endpoint == "https://storage.googleapis.com"
    assert place.open_bucket("other").client.api_endpoint == "https://storage.googleapis.com"
    client = place.vertex._client._api_client
    assert client._http_options.base_url == "https://us-central1-aiplatform.googleapis.com/"


def test_the_local_stack_is_at_its_own_emulator_whatever_is_set(
    provisioned: Repository, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_in(monkeypatch, tmp_path)
    shell.pointed_at(monkeypatch, lines.nobody())
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    place = Place("local", provisioned.root)
    assert place.stack.endpoint == emulator.url
    assert place.ledger.recorded() == {}
    assert place.vertex.jobs({}) == []


def test_an_emulator_that_was_never_started(repository: Repository) -> None:
    assert refused(repository.root) == f"the emulator is not running; {START}"


def test_an_emulator_that_is_gone(repository: Repository) -> None:
    url = lines.nobody()
    published(repository, url)
    start = time.monotonic()
    assert refused(repository.root) == f"the emulator at {url} does not answer; {START}"
    assert time.monotonic() - start < 5


def test_an_emulator_that_hangs(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stack._PROBE_SECONDS <= 15
    monkeypatch.setattr(stack, "_PROBE_SECONDS", 0.1)
    with lines.silent() as url:
        published(repository, url)
        assert refused(repository.root) == f"the emulator at {url} does not answer; {START}"


@pytest.mark.parametrize(
    "said",
    [
        lines.http(200, "<html>a web server</html>", "text/html"),
        lines.http(404, "{}"),
        lines.http(500, "oops", "text/plain"),
    ],
)
def test_a_port_that_another_server_took(repository: Repository, said: bytes) -> None:
    with lines.saying(said) as url:
        published(repository, url)
        assert refused(repository.root) == f"what answers at {url} is not the emulator; {START}"


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_port_that_does_not_speak_http(repository: Repository, said: bytes) -> None:
    with lines.saying(said) as url:
        published(repository, url)
        assert refused(repository.root) == f"the emulator at {url} does not answer; {START}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        '{"url": "http://127.0.0.1:1"}',
        '{"url": "http://127.0.0.1:1", "env": "PATH"}',
        '{"url": "http://127.0.0.1:1", "env": ["PATH"]}',
        "\udcff",
    ],
)
def test_an_address_file_that_is_junk(repository: Repository, text: str) -> None:
    (repository.root / SERVER).write_text(text, "utf-8", errors="surrogateescape")
    assert refused(repository.root) == f"{SERVER} is not what an emulator writes; {START}"


def test_an_address_file_that_is_a_folder(repository: Repository) -> None:
    (repository.root / SERVER).mkdir()
    assert refused(repository.root).startswith(
        f"{SERVER} cannot be read: Is a directory; remove it"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com",
        "http://storage.googleapis.com",
        "http://127.0.0.1.example.com:80",
        "ftp://127.0.0.1",
        "http://[",
        "127.0.0.1:80",
        7,
    ],
)
def test_an_address_that_is_not_on_this_machine(repository: Repository, url: object) -> None:
    published(repository, url)
    with pytest.raises(Unreachable, match="which is not on this machine"):
        stack.load(repository.root, "local")


def test_the_environment_of_tools_is_text(provisioned: Repository, emulator: Emulator) -> None:
    published(provisioned, emulator.url, {"A": 1, "B": "x"})
    assert stack.load(provisioned.root, "local").environment == {"A": "1", "B": "x"}


def test_a_shell_that_took_the_environment_over_keeps_what_it_set_since(
    provisioned: Repository, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(provisioned, emulator.url, {"PULUMI_BACKEND_URL": "file:///there"})
    monkeypatch.setenv("VERTUNE_EMULATOR_URL", emulator.url)
    assert stack.load(provisioned.root, "local").environment == {}
    monkeypatch.setenv("VERTUNE_EMULATOR_URL", "http://127.0.0.1:1")
    assert "PULUMI_BACKEND_URL" in stack.load(provisioned.root, "local").environment


# Outputs, through the engine


@pytest.fixture
def recordable(repository: Repository, tmp_path: Path) -> Stack:
    """A stack whose Pulumi keeps everything in a folder of its own; nothing is initialised."""
    found = engine.find(CLONE)
    assert found, "there is no Pulumi engine: `make engine` makes one"
    (tmp_path / "backend").mkdir()
    environment = {
        "PATH": os.pathsep.join([*map(str, found.path_entries()), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": (tmp_path / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    settings = stack.settings(repository.root, "local")
    return Stack("local", repository.root, settings, lines.nobody(), environment)


def pulumi(stack: Stack, *command: str) -> None:
    subprocess.run(
        ["pulumi", *command, "--non-interactive"],
        cwd=stack.root,
        env={**os.environ, **stack.environment},
        check=True,
        capture_output=True,
    )


def unrecorded(found: Stack) -> str:
    before = dict(os.environ)
    with pytest.raises(VertuneError) as error:
        stack.record(found)
    assert dict(os.environ) == before
    return str(error.value)


def test_a_stack_that_pulumi_does_not_know(recordable: Stack) -> None:
    assert unrecorded(recordable) == (
        'Pulumi has no stack "local"; make it with `pulumi stack init local`,'
        " then run `pulumi up --stack local`"
    )


def held(found: Stack, folder: Path) -> Path:
    """The lock of an update that somebody else runs."""
    pulumi(found, "stack", "init", "local")
    locks = folder / "backend/.pulumi/locks/organization/vertune/local"
    locks.mkdir(parents=True, exist_ok=True)
    owner = {"pid": 1, "username": "ann", "hostname": "there", "timestamp": "2026-11-23T10:00:00Z"}
    (locks / "0c9a.json").write_text(json.dumps(owner))
    return locks / "0c9a.json"


def test_another_update_of_the_stack_is_waited_for(
    recordable: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERTUNE_PATIENCE", "1")
    lock, said = held(recordable, tmp_path), list[str]()
    (recordable.root / "infra").mkdir()
    program = "import pulumi\npulumi.export('tuned_models', {'one': 1})\n"
    (recordable.root / "infra/__main__.py").write_text(program)

    def told(text: str) -> None:
        said.append(text)
        lock.unlink()  # the other one ends

    assert stack.record(recordable, told) == {"one": 1}
    assert said == ["another update of this stack is running (ann@there (pid 1)); waiting for it"]


def test_a_lock_that_stays_is_an_error_that_says_the_way_out(
    recordable: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERTUNE_PATIENCE", "0.01")
    held(recordable, tmp_path)
    assert unrecorded(recordable) == (
        "another update of this stack is running (ann@there (pid 1)); the tuned models are safe in"
        " the ledger, run `vertune record` when it is done. If it was killed, end it first:"
        " `pulumi cancel --stack local`"
    )


def test_a_program_that_fails_is_quoted(recordable: Stack) -> None:
    pulumi(recordable, "stack", "init", "local")
    program = recordable.root / "infra"
    program.mkdir()
    (program / "__main__.py").write_text("raise ValueError('the reason')\n")
    said = unrecorded(recordable)
    assert said.startswith("the outputs could not be recorded; the tuned models are safe")
    assert "the reason" in said


@pytest.fixture
def bare(repository: Repository, tmp_path: Path) -> Stack:
    """A stack on a PATH that holds one empty folder."""
    (tmp_path / "bin").mkdir()
    settings = stack.settings(repository.root, "local")
    environment = {"PATH": str(tmp_path / "bin")}
    return Stack("local", repository.root, settings, lines.nobody(), environment)


def test_no_engine_at_all(bare: Stack) -> None:
    assert unrecorded(bare) == "there is no Pulumi engine; `vertune doctor` says how to get it"


@pytest.mark.parametrize("script", ["echo v3.0.1", "echo v2.25.2", "echo hello", "exit 3"])
def test_an_engine_that_does_not_do(bare: Stack, script: str) -> None:
    command = Path(bare.environment["PATH"]) / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    said = unrecorded(bare)
    assert said.startswith("the Pulumi engine on PATH cannot be used: ")
    assert said.endswith("; `vertune doctor` says which it is")


def test_a_cloud_stack_is_not_recorded_by_a_shell_of_the_emulators(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.pointed_at(monkeypatch, lines.nobody())
    (repository.root / "Pulumi.dev.yaml").write_text(CLOUD)
    assert "run `vertune record` in a new shell" in unrecorded(stack.load(repository.root, "dev"))


def test_the_engine_runs_the_program_with_this_python(bare: Stack) -> None:
    assert stack._path(bare).split(os.pathsep)[0] == str(Path(sys.prefix) / "bin")
