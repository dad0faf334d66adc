"""Guardrails: what is watched, who is told, and what is said to be off."""

import pytest

from tests.infra.program import Deployment, deploy, settings_of

pytestmark = [  # of pulumi-gcp's own functions, when its modules are imported
    pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount"),
    pytest.mark.filterwarnings("ignore:gcp.monitoring.getSecretVersion"),
]

CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
BUDGET = "gcp:billing/budget:Budget"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
TOLD = "projects/my-project-dev/notificationChannels/7"
EMAIL = {"vertune:alertEmail": "team@example.com"}
MONEY = {"vertune:billingAccount": "012345-6789AB-CDEF01", "vertune:monthlyUsd": "100"}


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERTUNE_EMULATOR_URL", raising=False)
    monkeypatch.setattr("jobs.runner.ledger.tuned_models", lambda *where: {})


def made_with(**more: str) -> Deployment:
    return deploy("dev", settings_of("dev") | more)


def apis(made: Deployment) -> set[str]:
    return {one.inputs["service"] for one in made.of("gcp:projects/service:Service")}


def test_without_settings_nothing_is_watched_and_the_outputs_say_so() -> None:
    made = made_with()
    assert [one for one in made.resources if one.type in (CHANNEL, ALERT, BUDGET, AUDIT)] == []
    assert made.outputs["guardrails"] == {
        "alerts": "off: set vertune:alertEmail",
        "budget": "off: set vertune:billingAccount and vertune:monthlyUsd",
    }
    assert not {"monitoring.googleapis.com", "billingbudgets.googleapis.com"} & apis(made)


def test_refused_tuning_and_denied_access_are_mailed() -> None:
    made = made_with(**EMAIL)
    assert made.one(CHANNEL).inputs["labels"] == {"email_address": "team@example.com"}
    filters = {
        one.name: one.inputs["conditions"][0]["conditionMatchedLog"]["filter"]
        for one in made.of(ALERT)
    }
    assert filters.keys() == {"refused-tuning", "denied-access"}
    assert "GenAiTuningService" in filters["refused-tuning"]
    assert "status.code=7" in filters["denied-access"]
    assert '"my-project-dev-vertune"' in filters["denied-access"]
    assert '"vertune-tuner@my-project-dev.iam.gserviceaccount.com"' in filters["denied-access"]
    assert {tuple(one.inputs["notificationChannels"]) for one in made.of(ALERT)} == {(TOLD,)}
    assert "monitoring.googleapis.com" in apis(made)


def test_what_an_alert_waits_for_is_written_down_by_the_cloud() -> None:
    made = made_with(**EMAIL)
    written = {one.inputs["service"]: one.inputs["auditLogConfigs"] for one in made.of(AUDIT)}
    both = [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}]
    assert written == {"storage.googleapis.com": both, "aiplatform.googleapis.com": both}


def test_a_budget_is_the_projects_and_tells_before_it_is_spent() -> None:
    made = made_with(**MONEY)
    budget = made.one(BUDGET).inputs
    assert budget["billingAccount"] == "012345-6789AB-CDEF01"
    assert budget["amount"]["specifiedAmount"] == {"currencyCode": "USD", "units": "100"}
    assert budget["budgetFilter"] == {"projects": ["projects/1"]}
    assert [one["thresholdPercent"] for one in budget["thresholdRules"]] == [0.5, 0.9, 1, 1]
    assert "allUpdatesRule" not in budget
    assert made.outputs["guardrails"]["budget"] == "100 USD a month"


def test_with_an_address_the_budget_is_mailed_too() -> None:
    budget = made_with(**EMAIL, **MONEY).one(BUDGET).inputs
    assert budget["allUpdatesRule"] == {"monitoringNotificationChannels": [TOLD]}


@pytest.mark.parametrize("given", [{"vertune:monthlyUsd": "100"}, dict([*MONEY.items()][:1])])
def test_half_a_budget_is_none_and_said_to_be_off(given: dict[str, str]) -> None:
    made = made_with(**given)
    assert made.of(BUDGET) == []
    assert made.outputs["guardrails"]["budget"].startswith("off: set")
