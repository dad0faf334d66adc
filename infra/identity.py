"""Identities: who tunes, who plans, who reads the examples, each with the roles of its grants."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import projects, serviceaccount, storage

from infra import encryption
from infra.grants import Grant, granted
from infra.settings import Settings


class Identities(pulumi.ComponentResource):
    """No account has a key: a person or a pipeline takes its place for minutes, by impersonation.

    The agent that runs tuning jobs (gcp-sa-vertex-tune) is granted nothing here: it does not exist
    before the project's first job, and the cloud itself gives it the role it needs.
    """

    tuner: serviceaccount.Account
    planner: serviceaccount.Account

    def __init__(
        self,
        name: str,
        settings: Settings,
        bucket: storage.Bucket,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("vertune:infra:Identities", name, None, opts)
        self._settings, self._bucket = settings, bucket
        self.tuner = self._account("tuner", "Runs `vertune apply`.")
        self.planner = self._account("planner", "Runs `vertune plan` on pull requests; reads only.")
        agent = projects.ServiceIdentity(
            "vertex-agent",
            project=settings.project,
            service="aiplatform.googleapis.com",
            opts=self._child(),
        )
        members: Mapping[str, Mapping[str, pulumi.Input[str]]] = {
            "tuner": {"": self.tuner.member},
            "planner": {"": self.planner.member},
            "agent": {"": agent.member},
            "reader": {f"-{one}": f"serviceAccount:{one}" for one in settings.ledger_readers},
        }
        for grant in granted(settings):
            for whose, member in members.get(grant.account, {}).items():
                self._grant(grant, f"{grant.name}{whose}", member)
        self.register_outputs({"tuner": self.tuner.email, "planner": self.planner.email})

    def _account(self, role: str, description: str) -> serviceaccount.Account:
        return serviceaccount.Account(
            role,
            account_id=self._settings.account(role),
            project=self._settings.project,
            display_name=f"vertune {role}",
            description=description,
            opts=self._child(),
        )

    def _grant(self, grant: Grant, name: str, member: pulumi.Input[str]) -> None:
        if grant.in_bucket:
            storage.BucketIAMMember(
                name,
                bucket=self._bucket.name,
                role=grant.role,
                member=member,
                condition=self._only(grant) if grant.only else None,
                opts=self._child(),
            )
            return
        if grant.on_key:
            encryption.allow(name, grant, self._settings, member, self._child())
            return
        role = self._own(grant).name if grant.custom else grant.role
        projects.IAMMember(
            name, project=self._settings.project, role=role, member=member, opts=self._child()
        )

    def _only(self, grant: Grant) -> storage.BucketIAMMemberConditionArgsDict:
        return {
            "title": f"only {' and '.join(grant.only)}",
            "expression": self._bucket.name.apply(grant.condition),
        }

    def _own(self, grant: Grant) -> projects.IAMCustomRole:
        account = self._settings.account(grant.account)
        return projects.IAMCustomRole(
            f"{grant.role.lower()}-role",
            role_id=self._settings.role(grant.role),
            project=self._settings.project,
            title=f"{self._settings.prefix} {grant.role.lower()}",
            description=f"What the account {account} does, and no more.",
            permissions=sorted(grant.calls),
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
