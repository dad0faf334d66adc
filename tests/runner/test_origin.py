"""Origin: one repository has one name, however it was cloned."""

import subprocess
from pathlib import Path

import pytest

from jobs.runner.origin import origin, plain

ONE = "git.example/team/models"


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/team/models.git",
        "https://user:secret@git.example/team/models",
        "ssh://git@git.example:22/team/models.git",
        "git@git.example:team/models.git",
        "HTTPS://GIT.example/team/models/",
    ],
)
def test_a_remote_is_named_without_how_and_by_whom_it_is_reached(url: str) -> None:
    assert plain(url) == ONE


@pytest.mark.parametrize(
    "url", ["", "/srv/models.git", "../models", "file:///srv/models", "http://["]
)
def test_a_folder_on_one_machine_is_no_name_for_others(url: str) -> None:
    assert plain(url) is None


def test_it_is_read_from_the_repository_itself(tmp_path: Path) -> None:
    assert origin(tmp_path) is None
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert origin(tmp_path) is None
    remote = ["git", "-C", str(tmp_path), "remote", "add", "origin", f"https://{ONE}.git"]
    subprocess.run(remote, check=True)
    assert origin(tmp_path) == ONE
