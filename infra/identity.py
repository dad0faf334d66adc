"""Identities: who tunes, who plans, who reads the examples, and exactly the roles each needs."""

import pulumi
from pulumi_gcp import projects, serviceaccount, storage

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
        self._project, self._bucket = settings.project, bucket
        self.tuner = self._account("tuner", "Runs `vertune apply`.")
        self.planner = self._account("planner", "Runs `vertune plan` on pull requests; reads only.")
        agent = projects.ServiceIdentity(
            "vertex-agent",
            project=settings.project,
            service="aiplatform.googleapis.com",
            opts=self._child(),
        )

        # tuningJobs.create, get, list and cancel; models.get and delete; endpoints.predict.
        self._grant("tuner-vertex", "roles/aiplatform.user", self.tuner.member)
        # objects.create, get, list, update and delete: the ledger's entries are overwritten in
        # place, which needs delete; neither the bucket's settings nor its policy.
        self._share("tuner-objects", "roles/storage.objectUser", self.tuner.member)

        # tuningJobs.get and list; models.get: what the plan compares with.
        self._grant("planner-vertex", "roles/aiplatform.viewer", self.planner.member)
        # objects.get and list: the ledger.
        self._share("planner-objects", "roles/storage.objectViewer", self.planner.member)

        # objects.get and list: Vertex AI itself reads the examples of a job.
        self._share("agent-objects", "roles/storage.objectViewer", agent.member)
        self.register_outputs({"tuner": self.tuner.email, "planner": self.planner.email})

    def _account(self, role: str, description: str) -> serviceaccount.Account:
        return serviceaccount.Account(
            role,
            account_id=f"vertune-{role}",
            project=self._project,
            display_name=f"vertune {role}",
            description=description,
            opts=self._child(),
        )

    def _grant(self, name: str, role: str, member: pulumi.Input[str]) -> None:
        """A role in the project, for what has no narrower place to hold a policy."""
        projects.IAMMember(
            name, project=self._project, role=role, member=member, opts=self._child()
        )

    def _share(self, name: str, role: str, member: pulumi.Input[str]) -> None:
        """A role in this bucket and no other."""
        storage.BucketIAMMember(
            name, bucket=self._bucket.name, role=role, member=member, opts=self._child()
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)
