"""`vertune cost`: a month's bills by label, from what is recorded, in every form."""

import csv
import io
import json

from jobs.runner.commands import Place
from tests.conftest import STACK_SETTINGS, Repository
from tests.runner.commands.calls import vertune
from tests.runner.entries import F1, F2, entry

BILLED = {
    "state": "succeeded",
    "job": "projects/0/locations/us-central1/tuningJobs/local-1",
    "tuned_model": "projects/0/locations/us/models/local-7@1",
    "finished": "2026-11-23T11:00:00+00:00",
    "epochs": 2,
    "estimated_tokens": 1_000_000,
    "billed_tokens": 1_100_000,
    "usd_per_million": 3.0,
}
WORDS = ("cost", "--month", "2026-11")


def recorded(repository: Repository) -> None:
    ledger = Place("local", repository.root).ledger
    ledger.create(entry("one", F1, **BILLED, labels={"team": "search"}))
    other = {"job": f"{BILLED['job']}1", "billed_tokens": 100_000, "estimated_tokens": 90_000}
    ledger.create(entry("two", F2, **(BILLED | other)))


def test_a_month_is_shown_by_team_against_the_cap(provisioned: Repository) -> None:
    settings = STACK_SETTINGS + "  vertune:monthlyUsd: 50\n"
    (provisioned.root / "Pulumi.local.yaml").write_text(settings, "utf-8")
    recorded(provisioned)
    shown = vertune(provisioned, *WORDS).stdout
    assert "search" in shown
    assert "$3.30" in shown
    assert shown.endswith(
        "2026-11: $3.60 billed on Google Cloud, nothing here; the month's cap is $50"
        " (vertune:monthlyUsd)\n"
    )


def test_csv_and_json_have_the_same_figures(provisioned: Repository) -> None:
    recorded(provisioned)
    rows = [*csv.DictReader(io.StringIO(vertune(provisioned, *WORDS, "-o", "csv").stdout))]
    assert [(row["team"], row["billed_usd"]) for row in rows] == [
        ("", "0.300000"),
        ("search", "3.300000"),
    ]
    body = json.loads(vertune(provisioned, *WORDS, "-o", "json").stdout)
    assert {value: round(one["billed_usd"], 6) for value, one in body["by_label"].items()} == {
        "": 0.3,
        "search": 3.3,
    }
    assert [one["name"] for one in body["tunings"]] == ["one", "two"]
    assert body["monthly_cap_usd"] is None


def test_another_label_and_another_month_may_be_asked_for(provisioned: Repository) -> None:
    recorded(provisioned)
    shown = vertune(provisioned, "cost", "--month", "2026-10", "-o", "json")
    assert json.loads(shown.stdout)["by_label"] == {}
    body = json.loads(vertune(provisioned, *WORDS, "--by", "stage", "-o", "json").stdout)
    assert [*body["by_label"]] == [""]
    assert vertune(provisioned, "cost", "--month", "2026-13").exit_code == 2


def test_a_plan_says_what_the_month_has_cost_and_is_held_to_it(provisioned: Repository) -> None:
    ledger = Place("local", provisioned.root).ledger
    ended = {"finished": ledger.clock.now().isoformat()}
    ledger.create(entry("one", F1, **(BILLED | ended)))
    provisioned.job("two")
    assert "This month: $3.30 billed" in vertune(provisioned, "plan").stdout
    settings = STACK_SETTINGS + "  vertune:monthlyUsd: 3\n"
    (provisioned.root / "Pulumi.local.yaml").write_text(settings, "utf-8")
    assert "vertune:monthlyUsd of this stack is $3" in vertune(provisioned, "plan").stdout
    refused = vertune(provisioned, "apply", "--yes")
    assert refused.exit_code == 1
    assert "--allow cap" in refused.stderr
