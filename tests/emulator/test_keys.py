"""Keys: what is encrypted with one that is there, near it, and that the service's agent may use."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.vertex.catalog import load_catalog
from tests.emulator.vertex.place import BASE, HERE, TRAIN, order
from tests.emulator.wire import Wire

RINGS = "projects/vertune-local/locations/us-central1/keyRings"
KEY = f"{RINGS}/ring/cryptoKeys/key"
USES = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
BUCKETS = "/storage/v1/b?project=vertune-local"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """With a base model that takes keys, which none does today."""
    found = load_catalog()
    keyed = replace(found.models[BASE], customer_managed_keys=True)
    catalog = replace(found, models={BASE: keyed})
    with Emulator(tmp_path / "emulator", trainer="nearest", catalog=catalog) as running:
        yield running


@pytest.fixture
def wire(emulator: Emulator) -> Wire:
    """With a key, and with Vertex AI's agent."""
    made = Wire(emulator.url)
    services = "/v1beta1/projects/vertune-local/services/aiplatform.googleapis.com"
    made.call("POST", f"{services}:generateServiceIdentity", {})
    made.call("POST", f"/v1/{RINGS}?keyRingId=ring", {})
    made.call(
        "POST", f"/v1/{RINGS}/ring/cryptoKeys?cryptoKeyId=key", {"purpose": "ENCRYPT_DECRYPT"}
    )
    return made


def encrypted(name: str, key: str = KEY, location: str = "us-central1") -> dict[str, object]:
    return {"name": name, "location": location, "encryption": {"defaultKmsKeyName": key}}


def agent(wire: Wire) -> str:
    """Which the first look at it brings into being."""
    path = "/storage/v1/projects/vertune-local/serviceAccount"
    return str(wire.call("GET", path)["email_address"])


def bind(wire: Wire, role: str, *more: str) -> None:
    members = [f"serviceAccount:{one}" for one in (agent(wire), *more)]
    policy = {"bindings": [{"role": role, "members": members}]}
    wire.call("POST", f"/v1/{KEY}:setIamPolicy", {"policy": policy})


def test_a_key_is_there_once_and_has_a_policy(wire: Wire) -> None:
    assert wire.call("GET", f"/v1/{KEY}") == {"name": KEY, "purpose": "ENCRYPT_DECRYPT"}
    again = wire.refused("POST", f"/v1/{RINGS}/ring/cryptoKeys?cryptoKeyId=key", {})
    assert again[0] == 409
    bind(wire, USES)
    (binding,) = wire.call("GET", f"/v1/{KEY}:getIamPolicy")["bindings"]
    assert binding["role"] == USES
    assert wire.refused("GET", f"/v1/{KEY}2:getIamPolicy")[0] == 404
    assert wire.refused("GET", f"/v1/{RINGS}/other/cryptoKeys/key")[0] == 404


def test_a_bucket_takes_a_key_that_its_agent_may_use(wire: Wire) -> None:
    status, message = wire.refused("POST", BUCKETS, encrypted("b-1"))
    assert (status, "Permission denied on Cloud KMS key" in message) == (403, True)
    bind(wire, "roles/cloudkms.admin")
    assert wire.refused("POST", BUCKETS, encrypted("b-1"))[0] == 403
    bind(wire, USES)
    made = wire.call("POST", BUCKETS, encrypted("b-1"))
    assert made["encryption"] == {"defaultKmsKeyName": KEY}


def test_a_bucket_that_is_there_takes_one_later_by_the_same_rule(wire: Wire) -> None:
    wire.call("POST", BUCKETS, {"name": "b-1", "location": "us-central1"})
    change = {"encryption": {"defaultKmsKeyName": KEY}}
    assert wire.refused("PATCH", "/storage/v1/b/b-1", change)[0] == 403
    bind(wire, USES)
    assert wire.call("PATCH", "/storage/v1/b/b-1", change)["encryption"] == change["encryption"]
    assert "encryption" not in wire.call("PATCH", "/storage/v1/b/b-1", {"encryption": None})


@pytest.mark.parametrize(
    ("key", "location", "status"),
    [(KEY, "europe-west4", 400), (f"{KEY}2", "us-central1", 404)],
)
def test_a_key_elsewhere_or_nowhere_is_refused(
    wire: Wire, key: str, location: str, status: int
) -> None:
    bind(wire, USES)
    assert wire.refused("POST", BUCKETS, encrypted("b-1", key, location))[0] == status


VERTEX = "service-0@gcp-sa-aiplatform.iam.gserviceaccount.com"


@pytest.mark.parametrize("role", ["roles/iam.securityReviewer", "roles/cloudkms.admin"])
def test_a_job_takes_a_key_that_vertex_ais_agent_may_use_in_both_ways(
    wire: Wire, role: str
) -> None:
    asked, where = order(encryptionSpec={"kmsKeyName": KEY}), f"/v1/{HERE}/tuningJobs"
    bind(wire, role, VERTEX)
    status, message = wire.refused("POST", where, asked)
    assert (status, f"CryptoKey {KEY} cannot be used in Vertex AI service" in message) == (
        400,
        True,
    )
    assert f"`{VERTEX}` has Encryption and Decryption access" in message
    bind(wire, USES, VERTEX)
    assert TRAIN in wire.refused("POST", where, asked)[1]  # now it looks for the examples


def test_a_copy_of_a_tuned_model_takes_one_by_the_same_rule(wire: Wire) -> None:
    asked = {
        "sourceModel": f"{HERE}/models/1",
        "encryptionSpec": {"kmsKeyName": KEY},
    }
    where = f"/v1/{HERE}/models:copy"
    assert "cannot be used in Vertex AI service" in wire.refused("POST", where, asked)[1]
    bind(wire, USES, VERTEX)
    assert wire.refused("POST", where, asked)[0] == 404  # now it looks for the model
