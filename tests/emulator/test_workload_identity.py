"""Workload identity: pools and providers, over plain HTTP."""

import pytest

from tests.emulator.wire import Wire

PROJECT = "/v1/projects/vertune-local/locations/global"
POOLS = f"{PROJECT}/workloadIdentityPools"
POOL = f"{POOLS}/ci"
NAME = "projects/0/locations/global/workloadIdentityPools/ci"
PROVIDER = f"{POOL}/providers/github"
OIDC = {"issuerUri": "https://token.actions.githubusercontent.com"}


@pytest.fixture(autouse=True)
def pool(wire: Wire) -> None:
    wire.call("POST", f"{POOLS}?workloadIdentityPoolId=ci", {"displayName": "CI"})


def provide(wire: Wire) -> None:
    path = f"{POOL}/providers?workloadIdentityPoolProviderId=github"
    wire.call("POST", path, {"oidc": OIDC, "attributeMapping": {"google.subject": "assertion.sub"}})


def test_a_pool_is_named_by_its_projects_number(wire: Wire) -> None:
    assert wire.call("GET", POOL) == {"displayName": "CI", "name": NAME, "state": "ACTIVE"}
    assert wire.call("GET", f"/v1/{NAME}")["name"] == NAME
    assert wire.call("GET", f"{POOL}:listAttestationRules") == {}


def test_an_operation_can_be_read_again(wire: Wire) -> None:
    operation = wire.call("PATCH", f"{POOL}?updateMask=displayName", {"displayName": "New"})
    assert operation["done"]
    assert operation["response"]["displayName"] == "New"
    assert wire.call("GET", f"/v1/{operation['name']}") == operation


def test_a_provider_belongs_to_its_pool(wire: Wire) -> None:
    provide(wire)
    assert wire.call("GET", PROVIDER)["name"] == f"{NAME}/providers/github"
    listed = wire.call("GET", f"{POOL}/providers")["workloadIdentityPoolProviders"]
    assert [one["name"] for one in listed] == [f"{NAME}/providers/github"]
    assert len(wire.call("GET", POOLS)["workloadIdentityPools"]) == 1


def test_a_mask_reaches_inside_the_issuer(wire: Wire) -> None:
    provide(wire)
    body = {"oidc": {"allowedAudiences": ["a"]}, "displayName": "not in the mask"}
    wire.call("PATCH", f"{PROVIDER}?updateMask=oidc.allowed_audiences,attributeMapping", body)
    changed = wire.call("GET", PROVIDER)
    assert changed["oidc"] == OIDC | {"allowedAudiences": ["a"]}
    assert "attributeMapping" not in changed
    assert "displayName" not in changed


def test_a_provider_without_an_issuer_is_refused(wire: Wire) -> None:
    path = f"{POOL}/providers?workloadIdentityPoolProviderId=github"
    assert wire.refused("POST", path, {"displayName": "x"})[0] == 400


def test_a_taken_id_is_a_conflict_until_it_is_deleted(wire: Wire) -> None:
    create = ("POST", f"{POOLS}?workloadIdentityPoolId=ci", {"displayName": "CI"})
    assert wire.refused(*create)[0] == 409
    wire.call("DELETE", POOL)
    assert wire.call(*create)["done"]


def test_providers_go_with_their_pool(wire: Wire) -> None:
    provide(wire)
    assert wire.call("DELETE", POOL)["response"]["state"] == "DELETED"
    assert wire.refused("GET", POOL)[0] == 404
    assert wire.refused("GET", PROVIDER)[0] == 404
    wire.call("POST", f"{POOLS}?workloadIdentityPoolId=ci", {})
    assert wire.call("GET", f"{POOL}/providers") == {"workloadIdentityPoolProviders": []}


def test_a_patch_without_a_mask_is_refused(wire: Wire) -> None:
    assert wire.refused("PATCH", POOL, {"displayName": "New"})[0] == 400


def test_an_issuer_of_the_wrong_shape_is_refused(wire: Wire) -> None:
    provide(wire)
    path = f"{PROVIDER}?updateMask=oidc.issuer_uri"
    assert wire.refused("PATCH", path, {"oidc": "https://example.com"})[0] == 400
    assert wire.call("GET", PROVIDER)["oidc"] == OIDC
