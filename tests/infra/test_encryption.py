"""Encryption: a stack's own key, who may use it, and what there is without one."""

import pytest

from infra.settings import check
from tests.infra.program import Deployment, deploy, settings_of

pytestmark = [  # of pulumi-gcp's own functions, when its modules are imported
    pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount"),
    pytest.mark.filterwarnings("ignore:gcp.monitoring.getSecretVersion"),
]

BUCKET = "gcp:storage/bucket:Bucket"
ON_KEY = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
KEY = "projects/keys-of-acme/locations/us-central1/keyRings/ring/cryptoKeys/key"
USES = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
PLANNER = "vertune-planner@my-project-dev.iam.gserviceaccount.com"


@pytest.fixture(autouse=True)
def empty_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERTUNE_EMULATOR_URL", raising=False)
    monkeypatch.setattr("jobs.runner.ledger.tuned_models", lambda *where: {})


def made_with(**more: str) -> Deployment:
    return deploy("dev", settings_of("dev") | more)


def test_without_a_key_nobody_asks_for_one() -> None:
    made = made_with()
    assert made.of(ON_KEY) == []
    assert "encryption" not in made.one(BUCKET).inputs
    services = {one.inputs["service"] for one in made.of("gcp:projects/service:Service")}
    assert "cloudkms.googleapis.com" not in services


def test_the_bucket_is_encrypted_with_it_and_only_service_agents_may_use_it() -> None:
    made = made_with(**{"vertune:kmsKey": KEY})
    assert made.one(BUCKET).inputs["encryption"] == {"defaultKmsKeyName": KEY}
    found = made.of(ON_KEY)
    assert {one.inputs["cryptoKeyId"] for one in found} == {KEY}
    assert {one.inputs["member"] for one in found if one.inputs["role"] == USES} == {
        "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com",
        "serviceAccount:service-1@gcp-sa-aiplatform.iam.gserviceaccount.com",
    }
    (other,) = [one for one in found if one.inputs["role"] != USES]
    assert (other.inputs["role"], PLANNER in other.inputs["member"]) == (
        "roles/iam.securityReviewer",
        True,
    )


def test_the_key_itself_is_not_the_programs() -> None:
    made = made_with(**{"vertune:kmsKey": KEY})
    kinds = {one.type for one in made.resources if one.type.startswith("gcp:kms")}
    assert kinds == {ON_KEY}


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (KEY.replace("us-central1", "us"), "is in us, and must be where the bucket is"),
        ("key", "cannot be a key, as projects/PROJECT/locations/REGION/keyRings/RING"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_before_anything_is_made(key: str, why: str) -> None:
    found, faults = check(settings_of("dev") | {"vertune:kmsKey": key}, {})
    assert found is None
    assert [fault.partition(": ")[0] for fault in faults] == ["vertune:kmsKey"]
    assert why in faults[0]
