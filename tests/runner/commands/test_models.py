"""`vertune models`: what can be tuned, for how much, until when."""

import json

from jobs.runner import catalog
from tests.conftest import Repository
from tests.runner.commands.calls import vertune


def test_every_base_model_is_a_row_with_its_price_or_unknown(repository: Repository) -> None:
    result = vertune(repository, "models")
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if "gemini" in line}
    assert set(rows) == set(catalog.load().base_models)
    assert "$3.00, 2026-09-24, second-hand" in rows["gemini-3.1-flash-lite"]
    assert "unknown" in rows["gemini-3.5-flash-lite"]
    assert "2026-10-20 (retired)" in rows["gemini-2.5-flash"]


def test_json_has_every_fact_with_its_source_and_no_price_that_is_not_known(
    repository: Repository,
) -> None:
    body = json.loads(vertune(repository, "models", "-o", "json").stdout)
    assert body["base_models"]["gemini-3.5-flash-lite"]["price_usd"] is None
    assert body["base_models"]["gemini-3.1-flash-lite"]["price_source"]
    assert body["read"] == str(catalog.load().read)


def test_markdown_is_a_table(repository: Repository) -> None:
    assert "| gemini-3.1-flash-lite | us-central1, europe-west4 | eu, us |" in (
        vertune(repository, "models", "-o", "markdown").stdout
    )


def test_a_price_of_the_stacks_own_is_shown_as_such(repository: Repository) -> None:
    settings = repository.root / "Pulumi.local.yaml"
    own = "  vertune:prices: {gemini-3.5-flash-lite: 1.5}\n"
    settings.write_text(settings.read_text("utf-8") + own, "utf-8")
    shown = vertune(repository, "models").stdout
    assert "$1.50, vertune:prices" in shown
    assert json.loads(vertune(repository, "models", "-o", "json").stdout)["prices"] == {
        "gemini-3.5-flash-lite": 1.5
    }


def test_live_compares_with_what_the_api_lists(provisioned: Repository) -> None:
    result = vertune(provisioned, "models", "--live")
    assert result.exit_code == 0
    assert "The API lists what the catalog says." in result.stdout
    body = json.loads(vertune(provisioned, "models", "--live", "-o", "json").stdout)
    assert "gemini-3.1-flash-lite" in body["live"]["listed"]
    assert body["live"]["wrong"] == body["live"]["unknown"] == []
