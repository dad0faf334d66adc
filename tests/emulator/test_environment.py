"""The environment a shell gets, and that it says the same after a round through `eval`."""

import os
import subprocess
from pathlib import Path

import pytest

from jobs.emulator.environment import environment, export_lines, path_entries

URL = "http://127.0.0.1:18080"


def test_every_tool_is_pointed_at_the_one_origin(tmp_path: Path) -> None:
    found = environment(URL, tmp_path, tmp_path)

    assert found["VERTUNE_EMULATOR_URL"] == URL
    assert found["STORAGE_EMULATOR_HOST"] == URL
    assert found["GOOGLE_VERTEX_BASE_URL"] == URL
    endpoints = [value for name, value in found.items() if name.endswith("_CUSTOM_ENDPOINT")]
    assert len(endpoints) == 9
    # What the provider's own check of these settings demands.
    assert all(value.startswith(f"{URL}/") and value.endswith("/") for value in endpoints)


def test_pulumi_keeps_the_local_stack_in_the_clone(tmp_path: Path) -> None:
    found = environment(URL, tmp_path / "emulator", tmp_path)

    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/emulator/pulumi"
    assert found["PULUMI_HOME"].startswith(str(tmp_path))
    assert found["PULUMI_CONFIG_PASSPHRASE"] == ""


def test_a_state_in_a_bucket_is_for_the_engine_which_wants_no_scheme(tmp_path: Path) -> None:
    found = environment(URL, tmp_path, tmp_path, state="gs://team-state/vertune")

    assert found["PULUMI_BACKEND_URL"] == "gs://team-state/vertune"
    assert found["STORAGE_EMULATOR_HOST"] == "127.0.0.1:18080"
    assert found["GOOGLE_STORAGE_CUSTOM_ENDPOINT"].startswith(URL)


def test_the_emulators_provider_comes_before_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["/somewhere", "/usr/bin"]))

    path = environment(URL, tmp_path, tmp_path)["PATH"].split(os.pathsep)

    assert path == [*path_entries(tmp_path), "/somewhere", "/usr/bin"]
    plugin = Path(path[2]) / "pulumi-resource-gcp"
    assert os.access(plugin, os.X_OK)


def test_path_does_not_grow_with_every_eval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = environment(URL, tmp_path, tmp_path)["PATH"]
    monkeypatch.setenv("PATH", once)

    assert environment(URL, tmp_path, tmp_path)["PATH"] == once


def test_the_genuine_provider_is_left_to_be_found_and_kept_off_the_network(
    tmp_path: Path,
) -> None:
    found = environment(URL, tmp_path, tmp_path, genuine_provider=True)

    assert not any("plugin" in entry for entry in path_entries(tmp_path, genuine_provider=True))
    assert found["HTTPS_PROXY"] == "http://127.0.0.1:1"
    assert "HTTPS_PROXY" not in environment(URL, tmp_path, tmp_path)


def test_a_companys_proxy_is_not_asked_for_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,.example.com")

    found = environment(URL, tmp_path, tmp_path)

    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost,.example.com"


def test_exports_survive_a_shell(tmp_path: Path) -> None:
    root = tmp_path / "it's a $HOME; `folder`"
    wanted = environment(URL, root / "emulator", root)

    script = export_lines(wanted) + "env -0\n"
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    got = dict(entry.partition("=")[::2] for entry in printed.stdout.split("\0") if entry)
    assert wanted.items() <= got.items()
