"""`vertune rollback`: what was served before is served again, and stays."""

from pathlib import Path

import pytest

from tests.conftest import Repository
from tests.runner.commands.calls import vertune
from tests.runner.tuned import place_with, planned, record_of


def test_what_is_taken_back_is_named_with_what_serves_it_again(
    provisioned: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without an engine
    place, (first, second) = place_with(provisioned, "one", 2)
    result = vertune(provisioned, "rollback", "one")
    taken = second.fingerprint[:12]
    assert result.stderr.splitlines()[:2] == [
        f"one: {first.fingerprint[:12]} is served",
        f"one: {taken} is taken back and not served by itself again;"
        f" `vertune promote one {taken}` does",
    ]
    assert record_of(place, "one").active == first.fingerprint
    assert not planned(place)


def test_nothing_to_go_back_to_changes_nothing(provisioned: Repository) -> None:
    place, (only,) = place_with(provisioned, "one")
    result = vertune(provisioned, "rollback", "one")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing older than what is served is recorded as one" in result.stderr
    assert record_of(place, "one").active == only.fingerprint
