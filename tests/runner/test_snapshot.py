"""Snapshot: a plan without credentials is the plan with them; nothing private is in the file."""

import json
from pathlib import Path

import pytest

from jobs.runner.commands import Place
from tests.conftest import Repository
from tests.runner import lines, shell
from tests.runner.commands.calls import vertune
from tests.runner.tuned import another, in_flight

CLOUD = """\
config:
  gcp:project: vertune-local
  gcp:region: us-central1
  vertune:bucket: vertune-local
"""


@pytest.fixture
def saved(provisioned: Repository) -> Path:
    """Of one tuned and one in flight; then there is a new spec, and the data of one changes."""
    provisioned.job("one")
    vertune(provisioned, "apply", "--yes", "--no-record")
    in_flight(provisioned, "two")
    file = provisioned.root / "snapshot.json"
    assert vertune(provisioned, "status", "--snapshot", str(file)).exit_code == 0
    provisioned.job("three")
    another(provisioned, "one", 1)
    return file


def test_a_plan_against_it_is_the_plan(provisioned: Repository, saved: Path) -> None:
    asked = json.loads(vertune(provisioned, "plan", "-o", "json").stdout)
    result = vertune(provisioned, "plan", "-o", "json", "--snapshot", str(saved))
    told = json.loads(result.stdout)
    actions = {"one": "retrain", "two": "resume", "three": "submit"}
    assert {one["name"]: one["action"] for one in told["changes"]} == actions
    keys = ("action", "name", "fingerprint", "price_usd")
    pairs = zip(told["changes"], asked["changes"], strict=True)
    assert all([a.get(key) for key in keys] == [b.get(key) for key in keys] for a, b in pairs)
    assert told["checksum"] == asked["checksum"]
    assert "nobody was asked what came since" in result.stderr


def test_it_asks_nobody(
    provisioned: Repository, saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of a stack on Google Cloud, in a shell that nothing leaves and that is signed in nowhere."""
    text = saved.read_text("utf-8").replace('"stack": "local"', '"stack": "dev"')
    saved.write_text(text, "utf-8")
    (provisioned.root / "Pulumi.dev.yaml").write_text(CLOUD, "utf-8")
    shell.behind_a_proxy(monkeypatch, lines.nobody())
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none"))
    refused = vertune(provisioned, "plan", stack="dev")
    assert refused.exit_code == 1
    result = vertune(provisioned, "plan", "--snapshot", str(saved), stack="dev")
    assert result.exit_code == 0, result.output
    assert "+ submit three: new" in result.stdout
    assert "nobody was asked what came since" in result.stdout


def test_no_example_and_no_machine_is_in_it(provisioned: Repository, saved: Path) -> None:
    text = saved.read_text("utf-8")
    recorded = Place("local", provisioned.root).ledger.recorded()
    holders = [e.holder for record in recorded.values() for e in record.entries.values()]
    assert holders
    assert not any(str(holder) in text for holder in holders)
    for words in ("match", "bank merger", "What is the topic"):
        assert words not in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"format": 1', '"format": 2', "is of a newer vertune"),
        ('"stack": "local"', '"stack": "prod"', "is of stack prod of vertune-local; plan with"),
        ("{", "[", "is not what `vertune status --snapshot` writes"),
    ],
)
def test_what_is_no_snapshot_of_this_stack_is_refused(
    provisioned: Repository, saved: Path, old: str, new: str, said: str
) -> None:
    saved.write_text(saved.read_text("utf-8").replace(old, new, 1), "utf-8")
    result = vertune(provisioned, "plan", "--snapshot", str(saved))
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_file_that_is_not_there(provisioned: Repository) -> None:
    provisioned.job("one")
    result = vertune(provisioned, "plan", "--snapshot", "nowhere.json")
    assert (result.exit_code, result.stderr) == (1, "nowhere.json: No such file or directory\n")


@pytest.mark.parametrize("words", [("--exact",), ("--retry", "one"), ("--out", "plan.json")])
def test_what_needs_an_answer_is_wrong_usage(
    provisioned: Repository, words: tuple[str, ...]
) -> None:
    result = vertune(provisioned, "plan", "--snapshot", "snapshot.json", *words)
    assert result.exit_code == 2
