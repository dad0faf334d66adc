"""The key file: for its owner only, and the same key however often the emulator starts."""

import json
from pathlib import Path

import pytest

from jobs.emulator.credentials import write_key_file

OWNER = "owner@vertune-local.iam.gserviceaccount.com"


def written(path: Path, port: int = 1) -> dict[str, str]:
    write_key_file(path, f"http://127.0.0.1:{port}", "vertune-local", OWNER)
    return dict(json.loads(path.read_text()))


def test_the_key_is_kept_and_the_address_follows_the_emulator(tmp_path: Path) -> None:
    first = written(tmp_path / "key.json", port=1)
    second = written(tmp_path / "key.json", port=2)

    assert first["private_key"] == second["private_key"]
    assert first["token_uri"] == "http://127.0.0.1:1/token"
    assert second["token_uri"] == "http://127.0.0.1:2/token"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    written(tmp_path / "key.json")

    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoiled", ["", "{", "[]", "{}"])
def test_a_spoiled_file_is_replaced(tmp_path: Path, spoiled: str) -> None:
    (tmp_path / "key.json").write_text(spoiled)

    assert "PRIVATE KEY" in written(tmp_path / "key.json")["private_key"]
