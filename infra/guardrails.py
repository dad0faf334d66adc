"""Guardrails: who is told of spending, of refused tuning and of denied access.

That a job failed later, or runs for long, the cloud neither logs nor measures anywhere that is
documented: no alert can be made of it. `vertune apply` tells the one, `vertune drift` the other.
"""

from __future__ import annotations  # a module of the SDK is loaded when first asked

import pulumi
from pulumi_gcp import billing, monitoring, projects, storage

from infra.settings import Settings

APIS = ("monitoring.googleapis.com", "logging.googleapis.com")
BUDGET_APIS = ("billingbudgets.googleapis.com",)

_THRESHOLDS: list[billing.BudgetThresholdRuleArgsDict] = [
    {"threshold_percent": 0.5},
    {"threshold_percent": 0.9},
    {"threshold_percent": 1.0},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
]
_RUNBOOK = "`vertune status` says what is recorded, `vertune doctor` whose credentials are in use."
_AUDITED = ("storage.googleapis.com", "aiplatform.googleapis.com")
_TUNING = 'protoPayload.methodName:"GenAiTuningService"'


def apis(settings: Settings) -> tuple[str, ...]:
    return (APIS if settings.alert_email else ()) + (BUDGET_APIS if settings.budgeted else ())


def said(settings: Settings) -> dict[str, str]:
    """What is on, and of what is off the setting that turns it on."""
    account = "vertune:billingAccount and vertune:monthlyUsd"
    return {
        "alerts": settings.alert_email or "off: set vertune:alertEmail",
        "budget": f"{settings.monthly_usd} USD a month"
        if settings.budgeted
        else f"off: set {account}",
    }


class Guardrails(pulumi.ComponentResource):
    """Only tells: no spending is stopped, for a budget is counted hours after the fact."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        bucket: storage.Bucket,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("vertune:infra:Guardrails", name, None, opts)
        self._settings = settings
        channels = [self._channel(settings.alert_email).name] if settings.alert_email else []
        if settings.alert_email:
            for service in _AUDITED:
                self._write_down(service)
            self._alert("refused-tuning", f"{_TUNING} AND severity>=ERROR", channels)
            self._alert("denied-access", self._denied(), channels)
        if settings.budgeted:
            # By number, as the service gives it back; a name would be changed by every `up`.
            number = bucket.project_number.apply(lambda number: f"projects/{int(number)}")
            self._budget(number, channels)
        self.register_outputs({})

    def _channel(self, email: str) -> monitoring.NotificationChannel:
        return monitoring.NotificationChannel(
            "mail",
            project=self._settings.project,
            display_name="vertune",
            type="email",
            labels={"email_address": email},
            user_labels=self._settings.labelled(pulumi.get_stack()),
            opts=self._child(),
        )

    def _write_down(self, service: str) -> None:
        """Else the cloud keeps no record of who was denied to read or write data."""
        projects.IAMAuditConfig(
            f"audit-{service.partition('.')[0]}",
            project=self._settings.project,
            service=service,
            audit_log_configs=[{"log_type": "DATA_READ"}, {"log_type": "DATA_WRITE"}],
            opts=self._child(),
        )

    def _denied(self) -> str:
        """To anybody in the bucket, and to the accounts anywhere."""
        project, bucket = self._settings.project, self._settings.bucket
        accounts = " OR ".join(
            f'"{self._settings.account(one)}@{project}.iam.gserviceaccount.com"'
            for one in ("tuner", "planner")
        )
        return (
            f'protoPayload.status.code=7 AND (resource.labels.bucket_name="{bucket}"'
            f" OR protoPayload.authenticationInfo.principalEmail=({accounts}))"
        )

    def _alert(self, name: str, filter: str, channels: list[pulumi.Output[str]]) -> None:
        monitoring.AlertPolicy(
            name,
            project=self._settings.project,
            display_name=f"vertune {name.replace('-', ' ')}",
            combiner="OR",
            conditions=[
                {"display_name": name, "condition_matched_log": {"filter": filter}},
            ],
            alert_strategy={"notification_rate_limit": {"period": "3600s"}},
            documentation={"content": _RUNBOOK, "mime_type": "text/markdown"},
            notification_channels=channels,
            user_labels=self._settings.labelled(pulumi.get_stack()),
            opts=self._child(),
        )

    def _budget(self, project: pulumi.Output[str], channels: list[pulumi.Output[str]]) -> None:
        """Without an address, those who administer the billing account are told."""
        settings = self._settings
        billing.Budget(
            "budget",
            billing_account=settings.billing_account or "",
            display_name=f"vertune {pulumi.get_stack()}",
            amount={
                "specified_amount": {"currency_code": "USD", "units": str(settings.monthly_usd)}
            },
            budget_filter={"projects": [project]},
            threshold_rules=_THRESHOLDS,
            all_updates_rule={"monitoring_notification_channels": channels} if channels else None,
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
