"""Samples: inputs of every type the provider serves, and the id by which such a one is imported.

None if the service makes the id up.
"""

from jobs.emulator.provider.client import Values

ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
POOL_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
BUDGET = "gcp:billing/budget:Budget"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"

EMAIL = "tuner@vertune-local.iam.gserviceaccount.com"
ANN = "user:Ann@example.com"
POOLS = "projects/vertune-local/locations/global/workloadIdentityPools"
OIDC = {"issuerUri": "https://token.actions.githubusercontent.com"}
RINGS = "projects/vertune-local/locations/us-central1/keyRings"
KEY = f"{RINGS}/made-before/cryptoKeys/made-before"
MADE_BEFORE = f"projects/vertune-local/serviceAccounts/{EMAIL.replace('tuner', 'made-before')}"

SAMPLES: dict[str, tuple[Values, str]] = {
    ACCOUNT: (
        {"accountId": "tuner-1", "displayName": "Tuner", "disabled": True},
        "projects/vertune-local/serviceAccounts/tuner-1@vertune-local.iam.gserviceaccount.com",
    ),
    ACCOUNT_MEMBER: (
        {"serviceAccountId": MADE_BEFORE, "role": "roles/iam.serviceAccountUser", "member": ANN},
        f"{MADE_BEFORE} roles/iam.serviceAccountUser {ANN}",
    ),
    KEY_MEMBER: (
        {"cryptoKeyId": KEY, "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": ANN},
        f"{KEY} roles/cloudkms.cryptoKeyEncrypterDecrypter {ANN}",
    ),
    BUCKET: (
        {
            "name": "bucket-1",
            "location": "us-central1",
            "labels": {"team": "search"},
            "versioning": {"enabled": True},
            "uniformBucketLevelAccess": True,
            "publicAccessPrevention": "enforced",
            "softDeletePolicy": {"retentionDurationSeconds": 604800},
            "lifecycleRules": [
                {
                    "action": {"type": "Delete"},
                    "condition": {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"},
                },
                {
                    "action": {"type": "SetStorageClass", "storageClass": "NEARLINE"},
                    "condition": {"age": 3, "matchesPrefixes": ["old/"], "withState": "LIVE"},
                },
            ],
        },
        "vertune-local/bucket-1",
    ),
    BUCKET_MEMBER: (
        {"bucket": "made-before", "role": "roles/storage.objectViewer", "member": ANN},
        f"b/made-before roles/storage.objectViewer {ANN}",
    ),
    ROLE: (
        {
            "roleId": "tuner",
            "title": "Tuner",
            "description": "Tunes.",
            "permissions": ["aiplatform.tuningJobs.create", "aiplatform.tuningJobs.get"],
        },
        "projects/vertune-local/roles/tuner",
    ),
    POOL: (
        {"workloadIdentityPoolId": "ci", "displayName": "CI", "disabled": True},
        f"{POOLS}/ci",
    ),
    POOL_PROVIDER: (
        {
            "workloadIdentityPoolId": "made-before",
            "workloadIdentityPoolProviderId": "github",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "attributeCondition": "assertion.repository == 'o/r'",
            "oidc": OIDC,
        },
        f"{POOLS}/made-before/providers/github",
    ),
    CHANNEL: (
        {
            "type": "email",
            "displayName": "mail",
            "labels": {"email_address": "a@example.com"},
            "userLabels": {"team": "search"},
        },
        "",
    ),
    ALERT: (
        {
            "displayName": "failed",
            "combiner": "OR",
            "conditions": [
                {"displayName": "c", "conditionMatchedLog": {"filter": "severity>=ERROR"}}
            ],
            "alertStrategy": {"notificationRateLimit": {"period": "3600s"}},
            "documentation": {"content": "what to do", "mimeType": "text/markdown"},
        },
        "",
    ),
    AUDIT: (
        {
            "project": "vertune-local",
            "service": "storage.googleapis.com",
            "auditLogConfigs": [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}],
        },
        "vertune-local storage.googleapis.com",
    ),
    BUDGET: (
        {
            "billingAccount": "000000-000000-000000",
            "displayName": "b",
            "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "100"}},
            "thresholdRules": [{"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"}],
            "allUpdatesRule": {"disableDefaultIamRecipients": True},
        },
        "",
    ),
    PROJECT_MEMBER: (
        {"project": "vertune-local", "role": "roles/aiplatform.user", "member": ANN},
        f"vertune-local roles/aiplatform.user {ANN}",
    ),
    SERVICE: ({"service": "iam.googleapis.com"}, "vertune-local/iam.googleapis.com"),
    IDENTITY: (
        {"service": "aiplatform.googleapis.com"},
        "projects/vertune-local/services/aiplatform.googleapis.com",
    ),
}
