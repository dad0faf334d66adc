"""Guardrails: channels, alert policies and budgets, over plain HTTP."""

import pytest

from tests.emulator.wire import Wire

PROJECT = "/v3/projects/vertune-local"
BUDGETS = "/v1/billingAccounts/000000-000000-000000/budgets"
CONDITION = {"displayName": "c", "conditionMatchedLog": {"filter": "severity>=ERROR"}}
POLICY = {"displayName": "failed", "combiner": "OR", "conditions": [CONDITION]}
BUDGET = {"amount": {"specifiedAmount": {"units": "100", "currencyCode": "USD"}}}


def test_what_was_made_is_listed_and_found_by_its_name(wire: Wire) -> None:
    made = wire.call("POST", f"{PROJECT}/notificationChannels", {"type": "email"})
    assert made["name"].startswith("projects/vertune-local/notificationChannels/")
    assert wire.call("GET", f"/v3/{made['name']}") == made
    listed = wire.call("GET", f"{PROJECT}/notificationChannels")
    assert listed == {"notificationChannels": [made]}


def test_the_conditions_of_a_policy_have_names(wire: Wire) -> None:
    made = wire.call("POST", f"{PROJECT}/alertPolicies", POLICY)
    assert made["conditions"] == [{**CONDITION, "name": f"{made['name']}/conditions/1"}]
    changed = wire.call("PATCH", f"/v3/{made['name']}?updateMask=displayName", {"displayName": "n"})
    assert changed["creationRecord"] == made["creationRecord"]
    assert changed["conditions"] == made["conditions"]


def test_a_mask_changes_what_it_names_and_no_mask_all(wire: Wire) -> None:
    made = wire.call("POST", BUDGETS, BUDGET | {"displayName": "b"})
    more = {"amount": {"specifiedAmount": {"units": "200"}}, "displayName": "n"}
    mask = "updateMask=amount.specifiedAmount.units"
    changed = wire.call("PATCH", f"/v1/{made['name']}?{mask}", more)
    assert changed["amount"]["specifiedAmount"] == {"units": "200", "currencyCode": "USD"}
    assert changed["displayName"] == "b"
    assert "displayName" not in wire.call("PATCH", f"/v1/{made['name']}", BUDGET)


def test_what_was_deleted_is_not_found(wire: Wire) -> None:
    name = wire.call("POST", BUDGETS, BUDGET)["name"]
    assert wire.call("DELETE", f"/v1/{name}") == {}
    assert wire.refused("GET", f"/v1/{name}")[0] == 404
    assert wire.refused("DELETE", f"/v1/{name}")[0] == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{PROJECT}/notificationChannels", {}),
        (f"{PROJECT}/alertPolicies", {"displayName": "x"}),
        (f"{PROJECT}/alertPolicies", POLICY | {"conditions": "all"}),
        (BUDGETS, {"displayName": "x"}),
    ],
)
def test_what_lacks_something_is_refused(wire: Wire, path: str, body: dict[str, object]) -> None:
    assert wire.refused("POST", path, body)[0] == 400
