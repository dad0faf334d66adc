"""Apis: the Google APIs that must be on before anything else can be made."""

from collections.abc import Iterable, Sequence

import pulumi
from pulumi_gcp import projects

NEEDED = (
    "aiplatform.googleapis.com",  # tuning jobs, the model registry, endpoints
    "cloudresourcemanager.googleapis.com",  # roles of the accounts in the project
    "iam.googleapis.com",  # the accounts themselves
    "iamcredentials.googleapis.com",  # tokens of the accounts, which have no keys
    "serviceusage.googleapis.com",  # the service agent of Vertex AI
    "storage.googleapis.com",  # the bucket
)


class Apis(pulumi.ComponentResource):
    """Switches them on and never off: others in the project may have come to rely on them."""

    enabled: Sequence[projects.Service]

    def __init__(self, name: str, project: str, more: Iterable[str] = ()) -> None:
        super().__init__("vertune:infra:Apis", name)
        self.enabled = [
            projects.Service(
                api.partition(".")[0],
                project=project,
                service=api,
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in (*NEEDED, *more)
        ]
        self.register_outputs({})
