"""Custom roles: a project's own, over plain HTTP."""

import pytest

from tests.emulator.wire import Wire

ROLES = "/v1/projects/vertune-local/roles"
ROLE = f"{ROLES}/tuner"
BODY = {"roleId": "tuner", "role": {"title": "T", "includedPermissions": ["a.b.get", "a.b.create"]}}


@pytest.fixture(autouse=True)
def role(wire: Wire) -> None:
    wire.call("POST", ROLES, BODY)


def test_a_role_is_found_by_its_name(wire: Wire) -> None:
    found = wire.call("GET", ROLE)
    assert found["name"] == ROLE[4:]
    assert found["includedPermissions"] == ["a.b.create", "a.b.get"]
    assert [one["name"] for one in wire.call("GET", ROLES)["roles"]] == [ROLE[4:]]


def test_a_patch_changes_what_it_names_and_the_etag(wire: Wire) -> None:
    before = wire.call("GET", ROLE)
    after = wire.call("PATCH", ROLE, {"includedPermissions": ["a.b.list"]})
    assert after["includedPermissions"] == ["a.b.list"]
    assert (after["title"], after["etag"] == before["etag"]) == ("T", False)
    masked = wire.call("PATCH", f"{ROLE}?updateMask=title", {"title": "N", "description": "d"})
    assert (masked["title"], "description" in masked) == ("N", False)


def test_a_deleted_role_keeps_its_id_until_it_is_brought_back(wire: Wire) -> None:
    assert wire.call("DELETE", ROLE)["deleted"]
    assert wire.call("GET", ROLE)["deleted"]
    assert wire.call("GET", ROLES) == {"roles": []}
    assert len(wire.call("GET", f"{ROLES}?showDeleted=true")["roles"]) == 1
    assert "deleted state" in wire.refused("POST", ROLES, BODY)[1]
    assert wire.refused("PATCH", ROLE, {"title": "N"})[0] == 400
    assert "deleted" not in wire.call("POST", f"{ROLE}:undelete")
    assert wire.refused("POST", ROLES, BODY)[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {"roleId": "a-b", "role": {}},
        {"role": {}},
        {"roleId": "other", "role": {"includedPermissions": ["storage"]}},
        {"roleId": "other", "role": {"includedPermissions": "a.b.c"}},
        {"roleId": "other", "role": {"title": 7}},
    ],
)
def test_a_role_of_the_wrong_shape_is_refused(wire: Wire, body: dict[str, object]) -> None:
    assert wire.refused("POST", ROLES, body)[0] == 400


def test_a_role_that_is_not_there_is_not_found(wire: Wire) -> None:
    assert wire.refused("GET", f"{ROLES}/other")[0] == 404
