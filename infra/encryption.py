"""Encryption: a customer-managed key, and who may use it; the key itself is its owner's."""

from __future__ import annotations  # a module of the SDK is loaded when first asked

import pulumi
from pulumi_gcp import kms, storage

from infra.grants import Grant, granted
from infra.settings import Settings

APIS = ("cloudkms.googleapis.com",)


class Encryption(pulumi.ComponentResource):
    """Lets the agent of Cloud Storage use the key, which it must before there can be a bucket."""

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("vertune:infra:Encryption", name, None, opts)
        # To ask for it also brings it into being, in a project that has no bucket yet.
        agent = storage.get_project_service_account_output(
            project=settings.project, opts=pulumi.InvokeOutputOptions(depends_on=opts.depends_on)
        )
        for grant in granted(settings):
            if grant.account == "storage":
                allow(grant.name, grant, settings, agent.member, self._child())
        self.register_outputs({})

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)


def allow(
    name: str,
    grant: Grant,
    settings: Settings,
    member: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    kms.CryptoKeyIAMMember(
        name, crypto_key_id=settings.kms_key or "", role=grant.role, member=member, opts=opts
    )
