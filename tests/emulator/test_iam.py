"""Service accounts: what the IAM API promises about them, over plain HTTP."""

import pytest

from tests.emulator.wire import Body, Wire

ACCOUNTS = "/v1/projects/vertune-local/serviceAccounts"


def make(wire: Wire, account_id: str = "tuner-1", **texts: str) -> Body:
    return wire.call("POST", ACCOUNTS, {"accountId": account_id, "serviceAccount": texts})


def test_an_account_is_found_by_email_by_number_and_in_any_project(wire: Wire) -> None:
    made = make(wire, displayName="Tuner")
    assert made["email"] == "tuner-1@vertune-local.iam.gserviceaccount.com"
    assert made["name"] == f"projects/vertune-local/serviceAccounts/{made['email']}"
    for path in (
        f"{ACCOUNTS}/{made['email']}",
        f"{ACCOUNTS}/{made['uniqueId']}",
        f"/v1/projects/-/serviceAccounts/{made['email']}",
        f"/v1/projects/0/serviceAccounts/{made['email']}",
    ):
        assert wire.call("GET", path) == made
    assert wire.call("GET", ACCOUNTS) == {"accounts": [made]}


def test_a_taken_id_is_a_conflict(wire: Wire) -> None:
    make(wire)
    status, message = wire.refused("POST", ACCOUNTS, {"accountId": "tuner-1"})
    assert (status, "already exists" in message) == (409, True)


@pytest.mark.parametrize("account_id", ["", "short", "9tuner", "tuner-", "Tuner1", "t" * 31])
def test_an_id_of_the_wrong_form_is_refused(wire: Wire, account_id: str) -> None:
    assert wire.refused("POST", ACCOUNTS, {"accountId": account_id})[0] == 400


def test_a_patch_changes_what_its_mask_names(wire: Wire) -> None:
    made = make(wire, displayName="Tuner", description="old")
    path = f"{ACCOUNTS}/{made['email']}"
    body = {"displayName": "ignored", "description": "new", "etag": made["etag"]}
    changed = wire.call("PATCH", path, {"serviceAccount": body, "updateMask": "description"})
    assert (changed["displayName"], changed["description"]) == ("Tuner", "new")
    assert changed["etag"] != made["etag"]
    assert wire.call("GET", path) == changed


def test_a_patch_with_an_old_etag_is_a_conflict(wire: Wire) -> None:
    made = make(wire)
    body = {"serviceAccount": {"displayName": "x", "etag": "old"}, "updateMask": "display_name"}
    assert wire.refused("PATCH", f"{ACCOUNTS}/{made['email']}", body)[0] == 409


def test_an_account_is_disabled_and_enabled(wire: Wire) -> None:
    path = f"{ACCOUNTS}/{make(wire)['email']}"
    wire.call("POST", f"{path}:disable", {})
    assert wire.call("GET", path)["disabled"] is True
    wire.call("POST", f"{path}:enable", {})
    assert "disabled" not in wire.call("GET", path)


def test_a_deleted_account_is_gone_with_its_policy(wire: Wire) -> None:
    path = f"{ACCOUNTS}/{make(wire)['email']}"
    user = {"role": "roles/iam.serviceAccountUser", "members": ["user:ann@example.com"]}
    wire.call("POST", f"{path}:setIamPolicy", {"policy": {"bindings": [user]}})
    wire.call("DELETE", path)
    assert wire.refused("GET", path)[0] == 404
    assert wire.refused("POST", f"{path}:getIamPolicy")[0] == 404
    make(wire)
    assert "bindings" not in wire.call("POST", f"{path}:getIamPolicy")


def test_a_namesake_does_not_inherit_the_roles_of_a_deleted_account(wire: Wire) -> None:
    made = make(wire)
    member = f"serviceAccount:{made['email']}"
    grant = {"bindings": [{"role": "roles/aiplatform.user", "members": [member]}]}
    wire.call("POST", "/v1/projects/vertune-local:setIamPolicy", {"policy": grant})
    wire.call("POST", "/storage/v1/b?project=vertune-local", {"name": "bucket-1"})
    wire.call("PUT", "/storage/v1/b/bucket-1/iam", grant)
    wire.call("DELETE", f"{ACCOUNTS}/{made['email']}")
    assert make(wire)["uniqueId"] != made["uniqueId"]
    left = [f"deleted:{member}?uid={made['uniqueId']}"]
    project = wire.call("POST", "/v1/projects/vertune-local:getIamPolicy", {})
    assert project["bindings"][0]["members"] == left
    assert wire.call("GET", "/storage/v1/b/bucket-1/iam")["bindings"][0]["members"] == left
