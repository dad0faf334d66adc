"""Reports as users read them: whole transcripts, kept beside the tests.

VERTUNE_GOLDEN=write pytest tests/runner/test_report.py writes them anew; read them before a commit.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.runner import report, report_price
from jobs.runner.diff import diff
from jobs.runner.estimate import Estimate
from jobs.runner.plan import Plan
from jobs.runner.price import Price
from jobs.runner.report import Shown
from jobs.runner.spending import Spent
from jobs.runner.stack import Settings
from tests.runner.golden import GOLDEN, golden
from tests.runner.states import A1, A2, A3, INPUTS, by_name, entry, record, score, wanted

# What a service, or a person who may open a pull request, can put into a message.
NASTY = "quota | <img src=x onerror=alert(1)> @octocat fixes #1\n::error::\x1b[2J `x` $2 \u202e"

CLOUD = Settings.model_validate(
    {"gcp:project": "acme-dev", "gcp:region": "us-central1", "vertune:bucket": "acme-dev-vertune"}
)
LOCAL = Settings.model_validate(
    {
        "gcp:project": "vertune-local",
        "gcp:region": "us-central1",
        "vertune:bucket": "vertune-local",
        "vertune:emulator": "true",
    }
)


# Plans


def _plan() -> Plan:
    steps = INPUTS | {"hyperparameters": {"steps": 100}}
    rate = Price(3.0, "https://example.com/prices", date(2026, 9, 24), second_hand=True)
    cheap = Estimate(4, 12_345, 0.14814, (), rate, 11_000, 15_000)
    noted = Estimate(
        20, 2000, 0.12, ("100 steps (2023) × 8 / 25 examples = 32 epochs, held to 20",)
    )
    unknown = Estimate(None, 2000, None, ("the service chooses the epochs, so the price is open",))
    places = {"steps": "jobs/faq.yaml:6", "epochs": "jobs/faq.yaml:5"}
    specs = by_name(
        wanted("headlines", "b1" * 32, estimate=cheap, examples=1260),
        wanted("news", "b1" * 32),
        wanted("faq", "b2" * 32, inputs=steps, estimate=noted, examples=25, places=places),
        wanted("open", "b3" * 32, estimate=unknown, examples=1),
        wanted(
            "dear",
            "b4" * 32,
            refusals={"budget": "about $9.00 is over the budget of $2 (jobs/dear.yaml:7)"},
        ),
        wanted("broken", "b5" * 32),
        wanted("back", A1),
        wanted("same", A3),
    )
    recorded = {
        "faq": record(entry(A1, name="faq"), active=A1),
        "broken": record(entry("b5" * 32, "failed", "broken", error=NASTY)),
        "back": record(entry(A1, name="back"), entry(A2, name="back"), active=A2),
        "gone": record(entry(A1, name="gone"), active=A1),
        "late": record(entry("b6" * 32, "submitted", "late")),
        "same": record(entry(A3, name="same"), active=A3),
    }
    return diff(specs, recorded)


SHAPES: dict[str, Callable[[Shown], str]] = {
    "txt": report.plan_text,
    "md": report.plan_markdown,
    "json": lambda shown: report.dumps(report.plan_json(shown)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_with_one_of_each(shape: str) -> None:
    golden(f"plan.{shape}", SHAPES[shape](Shown(_plan(), "dev", CLOUD)))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plan_of_a_simulation(shape: str) -> None:
    plan = diff(by_name(wanted("headlines")), {})
    golden(f"plan-local.{shape}", SHAPES[shape](Shown(plan, "local", LOCAL)))


@pytest.mark.parametrize("shape", SHAPES)
def test_an_empty_plan(shape: str) -> None:
    plan = diff(by_name(wanted()), {"a": record(entry(), active=A1)})
    golden(f"plan-empty.{shape}", SHAPES[shape](Shown(plan, "dev", CLOUD)))


def test_what_is_in_sync_and_below_its_mark_is_noted_below_a_plan() -> None:
    short = {"faq": "reached 0.700 by rouge_l, below its mark of 0.9: it is not served"}
    shown = Shown(Plan((), ("faq",)), "dev", CLOUD, short=short)
    assert f"1 spec in sync.\nNote: faq {short['faq']}." in report.plan_text(shown)
    assert f"**Note**: faq {short['faq']}." in report.plan_markdown(shown)
    assert report.plan_json(shown)["shortfalls"] == short


def test_what_the_month_has_cost_stands_below_a_plan() -> None:
    plan = diff(by_name(wanted("headlines")), {})
    capped = CLOUD.model_copy(update={"monthly_usd": 50})
    spent = Spent(billed=3.1, under_way=0.4, unknown=1)
    said = (
        "This month: $3.10 billed, $0.40 under way, 1 tuning of unknown cost; the month's cap is"
        " $50 (vertune:monthlyUsd)."
    )
    shown = Shown(plan, "dev", capped, (), spent)
    assert said in report.plan_text(shown)
    assert said.replace("$", r"\$") in report.plan_markdown(shown)
    body = report.plan_json(shown)
    assert (body["month"], body["monthly_cap_usd"]) == (
        {"billed": 3.1, "under_way": 0.4, "unknown": 1},
        50,
    )


def test_a_plan_without_any_spec() -> None:
    assert report.plan_sum(Plan(), CLOUD) == (
        "Nothing to do: no spec in jobs/ is meant for this stack."
    )


@pytest.mark.parametrize(
    ("price", "simulated", "said"),
    [
        (None, False, "unknown"),
        (None, True, "unknown on Google Cloud, nothing here"),
        (0.001, False, "less than $0.01"),
        (1234.5, True, "about $1,234.50 on Google Cloud, nothing here"),
    ],
)
def test_a_price_is_never_nothing_unless_it_is(
    price: float | None, simulated: bool, said: str
) -> None:
    assert report_price.price(price, simulated) == said


# Outputs


def _outputs() -> dict[str, Any]:
    return {
        "headlines": {
            "tuned_model": "projects/1/locations/us/models/7@1",
            "endpoint": "projects/1/locations/us/endpoints/8",
            "score": score().model_dump(),
        },
        "faq": {
            "tuned_model": "projects/0/locations/us/models/local-9@1",
            "endpoint": None,
            "simulated": "local simulation: SmolLM2-135M-Instruct stands in for the base model",
        },
    }


def test_outputs_as_text() -> None:
    golden("outputs.txt", report.outputs_table(_outputs()))


def test_outputs_as_markdown() -> None:
    golden("outputs.md", report.outputs_table(_outputs(), markdown=True))


def test_no_outputs_are_said_to_be_none() -> None:
    assert report.outputs_table({}) == "No tuned model is served."


# All of them


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*")), ids=lambda path: path.name)
def test_no_report_can_be_turned_into_something_else(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.replace("\n", "").replace("\u200b", "").isprintable()
    assert not any(line.startswith("::") for line in text.splitlines())
    if path.suffix == ".md":
        assert "<" not in re.sub(r"</?(details|summary)>", "", text)
        assert "@octocat" not in text


def test_what_a_service_says_is_whole_in_every_report() -> None:
    ledger = {"a": record(entry(A1, "failed", error="x" * 5000))}
    plan = diff(by_name(wanted()), ledger)
    for text in (
        report.plan_text(Shown(plan, "dev", CLOUD)),
        report.plan_markdown(Shown(plan, "dev", CLOUD)),
    ):
        assert "x" * 5000 in text


def test_json_keeps_every_character_and_shows_those_of_any_language() -> None:
    value = {"é": "Größe 世界 😀", "nasty": NASTY + "\ud800\x9b\u2028\x00\U000e0001"}
    assert json.loads(report.dumps(value)) == value
    assert "Größe 世界 😀" in report.dumps(value)
    assert report.dumps(value).replace("\n", "").isprintable()


def test_json_reports_are_json() -> None:
    plan = diff(by_name(replace(wanted(), estimate=Estimate(None, 1, None, ()))), {})
    body = json.loads(report.dumps(report.plan_json(Shown(plan, "dev", CLOUD))))
    assert body["price_usd"] is None
    assert body["changes"][0]["epochs"] is None
