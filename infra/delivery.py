"""Delivery: how a pipeline acts as an account without a key, by tokens that GitHub signs."""

from __future__ import annotations  # a module of the SDK is loaded when first asked

import pulumi
from pulumi_gcp import iam, serviceaccount

from infra.github import ISSUER, PLAN, TUNE, GitHub
from infra.identity import Identities

APIS = ("sts.googleapis.com",)  # exchanges GitHub's tokens for Google's

_ROLE = "roles/iam.workloadIdentityUser"


class Delivery(pulumi.ComponentResource):
    """A fork's pull request gets no token from GitHub, so nothing here can let it in."""

    provider: iam.WorkloadIdentityPoolProvider

    def __init__(
        self,
        name: str,
        project: str,
        github: GitHub,
        identities: Identities,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("vertune:infra:Delivery", name, None, opts)
        self._pool = iam.WorkloadIdentityPool(
            "pool",
            workload_identity_pool_id=github.pool,
            project=project,
            display_name="vertune",
            description="Workflows of the repository that holds the specs.",
            opts=self._child(),
        )
        self.provider = iam.WorkloadIdentityPoolProvider(
            "github",
            workload_identity_pool_id=self._pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            project=project,
            display_name="GitHub",
            attribute_condition=github.condition,
            attribute_mapping=github.mapping,
            oidc={"issuer_uri": ISSUER},
            opts=self._child(),
        )
        self._let("pull-requests-plan", PLAN, identities.planner)
        self._let("branch-plans", TUNE, identities.planner)  # looks for drift every night
        self._let("branch-tunes", TUNE, identities.tuner)
        self.register_outputs({"provider": self.provider.name})

    def _let(self, name: str, may: str, account: serviceaccount.Account) -> None:
        """Workflows that may do this act as that account."""
        pool = self._pool.name
        serviceaccount.IAMMember(
            name,
            service_account_id=account.name,
            role=_ROLE,
            member=pulumi.Output.concat(
                "principalSet://iam.googleapis.com/", pool, f"/attribute.may/{may}"
            ),
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
