"""TuningBucket: holds the examples that jobs train on and the ledger of what was tuned."""

import pulumi
from pulumi_gcp import storage

from infra.settings import Settings

_DAY = 24 * 60 * 60


class TuningBucket(pulumi.ComponentResource):
    """Private, versioned, and with no rule that could delete a live object."""

    bucket: storage.Bucket

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("vertune:infra:TuningBucket", name, None, opts)
        self.bucket = storage.Bucket(
            name,
            name=settings.bucket,  # the runner finds it by this name, so none is made up
            project=settings.project,
            location=settings.region,  # tuning reads its examples from the region it runs in
            labels=settings.labelled(pulumi.get_stack()),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            encryption=_with(settings.kms_key),
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": settings.soft_delete_days * _DAY},
            lifecycle_rules=[_expire_noncurrent(settings.noncurrent_days), _ABORT_UPLOADS],
            # Without protection `pulumi destroy` takes the ledger along.
            force_destroy=not settings.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection),
        )
        self.register_outputs({"name": self.bucket.name})


def _with(key: str | None) -> storage.BucketEncryptionArgsDict | None:
    return {"default_kms_key_name": key} if key else None


def _expire_noncurrent(days: int) -> storage.BucketLifecycleRuleArgsDict:
    return {
        "action": {"type": "Delete"},
        "condition": {"days_since_noncurrent_time": days, "with_state": "ARCHIVED"},
    }


# What is left of an upload that broke off is no object: nothing lists it, but it is paid for.
_ABORT_UPLOADS: storage.BucketLifecycleRuleArgsDict = {
    "action": {"type": "AbortIncompleteMultipartUpload"},
    "condition": {"age": 7},
}
