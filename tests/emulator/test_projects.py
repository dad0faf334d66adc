"""Projects and services: what exists from the start, what is refused, what enabling leaves."""

from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from tests.emulator.wire import Body, Wire

SERVICES = "/v1/projects/vertune-local/services"
ENABLED = f"{SERVICES}?filter=state%3AENABLED&pageSize=2"


def test_the_local_project_exists_from_the_start(wire: Wire) -> None:
    project = wire.call("GET", "/v1/projects/vertune-local")
    assert (project["projectNumber"], project["lifecycleState"]) == ("0", "ACTIVE")
    assert wire.call("GET", "/v1/projects/0") == project


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/projects/elsewhere"),
        ("GET", "/v1/projects/elsewhere/billingInfo"),
        ("POST", "/v1/projects/elsewhere:getIamPolicy"),
        ("POST", "/v1/projects/elsewhere:setIamPolicy"),
        ("GET", "/v1/projects/elsewhere/services?filter=state:ENABLED"),
        ("POST", "/v1/projects/elsewhere/services/iam.googleapis.com:enable"),
        ("POST", "/v1/projects/elsewhere/serviceAccounts"),
        ("GET", "/v1/projects/elsewhere/locations/global/workloadIdentityPools"),
    ],
)
def test_any_other_project_is_forbidden(wire: Wire, method: str, path: str) -> None:
    status, message = wire.refused(method, path, {"accountId": "tuner-1"})
    assert (status, "or it may not exist" in message) == (403, True)


def test_an_emulator_can_hold_other_projects(tmp_path: Path) -> None:
    with Emulator(tmp_path, trainer="nearest", projects={"mine-1": "12"}) as emulator:
        wire = Wire(emulator.url)
        assert wire.call("GET", "/v1/projects/12")["projectId"] == "mine-1"
        assert wire.refused("GET", "/v1/projects/vertune-local")[0] == 403


def test_a_project_has_billing_information(wire: Wire) -> None:
    info = wire.call("GET", "/v1/projects/vertune-local/billingInfo")
    assert (info["billingAccountName"], info["billingEnabled"]) == ("", False)


def test_audit_settings_stay_unless_the_mask_names_them(wire: Wire) -> None:
    path, audit = "/v1/projects/vertune-local", [{"service": "allServices"}]
    policy = {"auditConfigs": audit}
    mask = "bindings,etag,auditConfigs"
    wire.call("POST", f"{path}:setIamPolicy", {"policy": policy, "updateMask": mask})
    wire.call("POST", f"{path}:setIamPolicy", {"policy": {}})
    assert wire.call("POST", f"{path}:getIamPolicy", {})["auditConfigs"] == audit


def test_enabled_services_are_listed_page_by_page(wire: Wire) -> None:
    names = [f"{api}.googleapis.com" for api in ("aiplatform", "iam", "storage")]
    operation = wire.call("POST", f"{SERVICES}:batchEnable", {"serviceIds": names})
    assert operation["done"]
    assert wire.call("GET", f"/v1/{operation['name']}") == operation
    first = wire.call("GET", ENABLED)
    second = wire.call("GET", f"{ENABLED}&pageToken={first['nextPageToken']}")
    listed = [one["config"]["name"] for one in first["services"] + second["services"]]
    assert listed == names
    assert "nextPageToken" not in second


def test_a_service_is_enabled_and_disabled(wire: Wire) -> None:
    path = f"{SERVICES}/iam.googleapis.com"
    wire.call("POST", f"{path}:enable", {})
    assert wire.call("GET", path)["state"] == "ENABLED"
    wire.call("POST", f"{path}:disable", {})
    assert wire.call("GET", path)["state"] == "DISABLED"
    assert wire.call("GET", ENABLED) == {"services": []}


def test_what_is_no_google_service_cannot_be_enabled(wire: Wire) -> None:
    assert wire.refused("POST", f"{SERVICES}/example.com:enable", {})[0] == 403


def test_a_list_of_all_services_is_not_pretended(wire: Wire) -> None:
    assert wire.refused("GET", SERVICES)[0] == 501


def test_asking_for_the_identity_of_vertex_brings_its_agent_into_being(wire: Wire) -> None:
    email = "service-0@gcp-sa-aiplatform.iam.gserviceaccount.com"
    bindings = [{"role": "roles/viewer", "members": [f"serviceAccount:{email}"]}]
    grant = ("POST", "/v1/projects/vertune-local:setIamPolicy", {"policy": {"bindings": bindings}})
    assert wire.refused(*grant)[0] == 400
    path = "/v1beta1/projects/vertune-local/services/aiplatform.googleapis.com"
    operation = wire.call("POST", f"{path}:generateServiceIdentity")
    assert operation["response"]["email"] == email
    assert wire.call("GET", f"/v1beta1/{operation['name']}") == operation
    assert wire.call(*grant)["bindings"] == bindings


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with Emulator(tmp_path, trainer="nearest") as emulator:
        wire = Wire(emulator.url)
        wire.call("POST", f"{SERVICES}/iam.googleapis.com:enable", {})
        account = wire.call(
            "POST", "/v1/projects/vertune-local/serviceAccounts", {"accountId": "tuner-1"}
        )
    with Emulator(tmp_path, trainer="nearest") as emulator:
        wire = Wire(emulator.url)
        assert wire.call("GET", f"/v1/{account['name']}") == account
        assert len(wire.call("GET", ENABLED)["services"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/projects/vertune-local:getIamPolicy", {"options": "3"}),
        ("/v1/projects/vertune-local:getIamPolicy", {"options": {"requestedPolicyVersion": "x"}}),
        ("/v1/projects/vertune-local:getIamPolicy", {"options": {"requestedPolicyVersion": True}}),
        ("/v1/projects/vertune-local:setIamPolicy", {"policy": []}),
        ("/v1/projects/vertune-local:setIamPolicy", {"policy": {}, "updateMask": ["bindings"]}),
        ("/v1/projects/vertune-local:setIamPolicy", {"policy": {"bindings": {"role": "x"}}}),
        ("/v1/projects/vertune-local:setIamPolicy", {"policy": {"bindings": ["roles/viewer"]}}),
        (
            "/v1/projects/vertune-local:setIamPolicy",
            {"policy": {"bindings": [{"role": "roles/viewer", "members": "user:a@b.c"}]}},
        ),
        (f"{SERVICES}:batchEnable", {"serviceIds": "iam.googleapis.com"}),
        (f"{SERVICES}:batchEnable", {"serviceIds": []}),
        ("/v1/projects/vertune-local/serviceAccounts", {"accountId": 123456}),
        (
            "/v1/projects/vertune-local/serviceAccounts",
            {"accountId": "tuner-1", "serviceAccount": {"displayName": 1}},
        ),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(wire: Wire, path: str, body: Body) -> None:
    assert wire.refused("POST", path, body)[0] == 400


def test_a_page_of_no_size_is_refused(wire: Wire) -> None:
    assert wire.refused("GET", f"{SERVICES}?filter=state%3AENABLED&pageSize=x")[0] == 400
