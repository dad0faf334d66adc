"""Selection: the same stack as Pulumi's, by the genuine engine, and what says so."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.emulator import engine
from jobs.runner.cli import main
from jobs.runner.errors import VertuneError
from jobs.runner.selection import Selection, select
from tests.conftest import Repository

CLONE = Path(__file__).resolve().parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a shell in which Pulumi has a state of its own."""
    (tmp_path / "state").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def pulumi(folder: Path, environment: dict[str, str], *words: str) -> None:
    found = engine.find(CLONE)
    assert found
    subprocess.run(
        [found.pulumi, *words, "--non-interactive"],
        cwd=folder,
        env={**environment, "PWD": str(folder)},
        check=True,
        capture_output=True,
        timeout=60,
    )


def test_what_the_engine_has_selected_is_meant(
    repository: Repository, environment: dict[str, str], tmp_path: Path
) -> None:
    pulumi(repository.root, environment, "stack", "init", "dev")
    assert select(repository.root, environment) == Selection("dev", "`pulumi stack select`")
    elsewhere = environment | {"PULUMI_BACKEND_URL": (tmp_path / "other").as_uri()}
    assert select(repository.root, elsewhere) == Selection("local", "default")


def test_a_folder_is_known_by_the_path_that_the_shell_is_in(
    repository: Repository, environment: dict[str, str], tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(repository.root)
    pulumi(link, environment, "stack", "init", "dev")
    assert select(repository.root, environment).name == "local"
    inside = environment | {"PWD": str(link / "jobs")}
    assert select(repository.root, inside).name == "dev"


def kept(repository: Repository, environment: dict[str, str], text: str) -> Path:
    import hashlib

    digest = hashlib.sha1(str(repository.root / "Pulumi.yaml").encode()).hexdigest()
    path = Path(environment["PULUMI_HOME"]) / "workspaces" / f"vertune-{digest}-workspace.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    return path


def test_variables_come_before_what_is_selected(
    repository: Repository, environment: dict[str, str]
) -> None:
    kept(repository, environment, '{"stack": "old"}')
    assert select(repository.root, environment).name == "old"
    environment["PULUMI_STACK"] = "acme/vertune/prod"
    assert select(repository.root, environment) == Selection("prod", "PULUMI_STACK")
    environment["VERTUNE_STACK"] = "dev"
    assert select(repository.root, environment) == Selection("dev", "VERTUNE_STACK")


def test_the_place_of_the_state_is_the_projects_or_else_the_one_logged_in_to(
    repository: Repository, environment: dict[str, str]
) -> None:
    del environment["PULUMI_BACKEND_URL"]
    stacks = {"https://one.example": "acme/vertune/one", "gs://two": "organization/vertune/two"}
    kept(repository, environment, json.dumps({"stacks": stacks}))
    assert select(repository.root, environment).name == "local"
    login = Path(environment["PULUMI_HOME"]) / "credentials.json"
    login.write_text('{"current": "https://one.example"}', "utf-8")
    assert select(repository.root, environment).name == "one"
    with (repository.root / "Pulumi.yaml").open("a") as project:
        project.write("backend: {url: gs://two}\n")
    assert select(repository.root, environment).name == "two"


def test_what_cannot_be_read_is_no_default(
    repository: Repository, environment: dict[str, str]
) -> None:
    path = kept(repository, environment, "junk")
    with pytest.raises(VertuneError, match="give --stack NAME") as refused:
        select(repository.root, environment)
    assert str(path) in str(refused.value)


def test_doctor_says_which_stack_is_chosen_and_by_what(
    repository: Repository, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VERTUNE_STACK", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PULUMI_STACK", "local")
    said = CliRunner().invoke(main, ["-C", str(repository.root), "doctor"]).stdout
    assert "local (by PULUMI_STACK): project vertune-local" in said
    monkeypatch.setenv("PULUMI_STACK", "acme/prod")
    said = CliRunner().invoke(main, ["-C", str(repository.root), "doctor"]).stdout
    assert '"prod" (Pulumi.prod.yaml is missing)' in said
    assert "(chosen by PULUMI_STACK)" in said
