"""`vertune doctor`: what is in use, what is missing, and a command that mends it."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jobs.emulator.emulator import Emulator
from jobs.emulator.environment import environment
from jobs.runner import storage
from jobs.runner.cli import main
from tests.conftest import Repository
from tests.runner import lines, shell
from tests.runner.commands.calls import vertune

CLONE = Path(__file__).resolve().parents[2]
CLOUD = "config:\n  gcp:project: p\n  gcp:region: us-central1\n  vertune:bucket: b\n"

Findings = dict[str, dict[str, Any]]


def examined(repository: Repository, stack: str, code: int) -> Findings:
    """The findings by what they are about; `code` is how it must end."""
    result = vertune(repository, "doctor", "-o", "json", stack=stack)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert result.exit_code == code, found
    assert all(one["ok"] or one["mend"] or one["what"] == "bucket" for one in found)
    return {one["what"]: one for one in found}


def missing(found: Findings) -> list[str]:
    return [what for what, one in found.items() if not one["ok"]]


@pytest.fixture
def with_engine(repository: Repository) -> Repository:
    engine = CLONE / ".vertune" / "engine"
    if engine.is_dir():  # else it is on PATH
        (repository.root / ".vertune" / "engine").symlink_to(engine)
    return repository


@pytest.fixture
def running(with_engine: Repository, emulator: Emulator) -> Repository:
    folder = with_engine.root / ".vertune" / "emulator"
    server = {"url": emulator.url, "env": environment(emulator.url, folder, with_engine.root)}
    (folder / "server.json").write_text(json.dumps(server), "utf-8")
    return with_engine


@pytest.fixture
def cloud(with_engine: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Repository:
    """With a stack on Google Cloud, which a proxy keeps this machine from reaching."""
    (with_engine.root / "Pulumi.dev.yaml").write_text(CLOUD)
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    plugin = tmp_path / f"pulumi/plugins/resource-gcp-v{metadata.version('pulumi-gcp')}"
    plugin.mkdir(parents=True)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    monkeypatch.delenv("VERTUNE_EMULATOR_URL", raising=False)
    return with_engine


def test_a_local_stack_that_lacks_nothing(running: Repository, emulator: Emulator) -> None:
    storage.bucket("vertune-local", "vertune-local", emulator.url).create(location="us-central1")
    found = examined(running, "local", code=0)
    assert list(found) == [
        "vertune",
        "Python",
        "repository",
        "engine",
        "language host",
        "SDK",
        "stack",
        "emulator",
        "plugin",
        "credentials",
        "bucket",
    ]
    assert found["repository"]["value"] == str(running.root)
    assert found["engine"]["value"].startswith("pulumi 3.")
    assert "(simulated on this machine)" in found["stack"]["value"]
    assert found["emulator"]["value"] == emulator.url
    assert found["plugin"]["value"].endswith("jobs/emulator/plugin/pulumi-resource-gcp")
    assert found["bucket"]["value"] == "gs://vertune-local, 0 names in the ledger"


def test_a_bucket_that_was_not_made(running: Repository) -> None:
    found = examined(running, "local", code=1)
    assert missing(found) == ["bucket"]
    assert found["bucket"]["mend"] == "pulumi up --stack local"


def test_a_ledger_that_cannot_be_read(running: Repository, emulator: Emulator) -> None:
    bucket = storage.bucket("vertune-local", "vertune-local", emulator.url)
    bucket.create(location="us-central1")
    bucket.blob("ledger/one/junk.json").upload_from_string("junk")
    found = examined(running, "local", code=1)
    assert missing(found) == ["bucket"]
    assert "ledger/one/junk.json is no entry" in found["bucket"]["value"]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_a_stack_as_it_comes_along_lacks_a_project_of_its_user(
    cloud: Repository, name: str
) -> None:
    shipped = (CLONE / f"Pulumi.{name}.yaml").read_text("utf-8")
    (cloud.root / f"Pulumi.{name}.yaml").write_text(shipped, "utf-8")
    found = examined(cloud, name, code=1)
    assert found["stack"]["value"].startswith("a project and a bucket of yours in place of")
    assert found["stack"]["mend"] == f"edit Pulumi.{name}.yaml"


def test_where_pulumi_is_not_signed_in_the_policy_is_not_looked_at(cloud: Repository) -> None:
    (cloud.root / "Pulumi.yaml").write_text((CLONE / "Pulumi.yaml").read_text("utf-8"), "utf-8")
    ended = vertune(cloud, "doctor", "--policy", stack="dev")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "run `pulumi login`" in ended.stderr


@pytest.mark.parametrize(("version", "lacking"), [("9.99.0", True), ("99.0.0-alpha.1", False)])
def test_an_older_plugin_than_the_sdk_is_missing_and_a_newer_one_is_not(
    cloud: Repository, tmp_path: Path, version: str, lacking: bool
) -> None:
    (plugin,) = (tmp_path / "pulumi/plugins").iterdir()
    plugin.rename(plugin.with_name(f"resource-gcp-v{version}"))
    found = examined(cloud, "dev", code=1)
    assert ("plugin" in missing(found)) is lacking
    assert f"resource-gcp-v{version}" in found["plugin"]["value"]
    needed = metadata.version("pulumi-gcp")
    mend = f"pulumi plugin install resource gcp {needed}" if lacking else ""
    assert found["plugin"]["mend"] == mend


def test_an_emulator_that_does_not_run(with_engine: Repository) -> None:
    found = examined(with_engine, "local", code=1)
    assert missing(found) == ["emulator"]
    assert found["emulator"]["mend"] == "vertune emulator start"
    assert "bucket" not in found


def test_no_engine(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = examined(repository, "local", code=1)
    assert missing(found) == ["engine", "emulator"]
    assert found["engine"]["mend"] == "make engine"


def test_a_cloud_stack_that_cannot_be_reached(
    cloud: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = shell.signed_in(monkeypatch, tmp_path)
    found = examined(cloud, "dev", code=1)
    assert missing(found) == ["bucket"]
    assert found["plugin"]["value"] == f"resource-gcp-v{metadata.version('pulumi-gcp')}"
    assert found["credentials"]["value"] == f"{key}, {shell.ACCOUNT}"
    assert found["bucket"]["value"] == (
        "reading the ledger: gs://b does not answer (nobody listens there);"
        " check the network, then run this again"
    )


def test_a_cloud_stack_without_anything(
    cloud: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_out(monkeypatch, tmp_path)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "elsewhere"))
    found = examined(cloud, "dev", code=1)
    assert missing(found) == ["plugin", "credentials"]
    assert found["plugin"]["mend"].startswith("pulumi plugin install resource gcp 10.")
    assert found["credentials"]["mend"] == "gcloud auth application-default login"


def test_a_cloud_stack_in_a_shell_of_the_emulators(
    cloud: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = lines.nobody()
    shell.pointed_at(monkeypatch, url)
    shell.signed_in(monkeypatch, tmp_path, issuer=url)
    found = examined(cloud, "dev", code=1)
    assert missing(found) == ["environment", "credentials"]
    assert found["environment"]["mend"] == "open another terminal"
    assert "is the emulator's key" in found["credentials"]["value"]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, 'there is no stack "dev"'), ("config: 7", "Pulumi.dev.yaml:1: config: must be")],
)
def test_a_stack_that_cannot_be_read(with_engine: Repository, text: str | None, said: str) -> None:
    if text is not None:
        (with_engine.root / "Pulumi.dev.yaml").write_text(text)
    found = examined(with_engine, "dev", code=1)
    assert missing(found) == ["stack"]
    assert said in found["stack"]["value"]
    assert found["stack"]["mend"] == "edit Pulumi.dev.yaml"


def test_outside_of_a_repository(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--root", str(tmp_path), "doctor"], catch_exceptions=False)
    assert result.exit_code == 1
    row = next(line for line in result.stdout.splitlines() if "repository" in line)
    assert "missing: " in row
    assert row.rstrip().endswith("cd into a clone")


def test_text_and_markdown_show_what_mends_each(repository: Repository) -> None:
    for output in ("text", "markdown"):
        result = vertune(repository, "doctor", "-o", output)
        assert result.exit_code == 1
        assert "vertune emulator start" in result.stdout
        assert "missing: " in result.stdout
