"""Closed: a disabled API or missing billing refuses everybody, until it is opened again."""

from pathlib import Path

import pytest

from jobs.emulator.emulator import Emulator
from tests.emulator.access.world import BUCKET, PROJECT, World
from tests.emulator.wire import Wire

JOBS = f"{PROJECT}/locations/us-central1/tuningJobs"
OBJECTS = f"{BUCKET}/o"
VERTEX = f"{PROJECT}/services/aiplatform.googleapis.com"
BILLING = f"{PROJECT}/billingInfo"


def reason(wire: Wire, path: str) -> tuple[int, str]:
    status, body = wire.ask("GET", path)
    return status, body["error"]["details"][0]["reason"]


def test_an_api_that_was_disabled_refuses_even_the_owner_and_no_other_api_does(
    world: World,
) -> None:
    world.owner.call("POST", f"{VERTEX}:disable")
    assert reason(world.owner, JOBS) == (403, "SERVICE_DISABLED")
    assert "Vertex AI API has not been used in project" in world.owner.refused("GET", JOBS)[1]
    assert world.owner.call("GET", OBJECTS)
    assert world.owner.call("GET", JOBS.replace("vertune-local", "vertune-local-prod")) == {}
    world.owner.call("POST", f"{VERTEX}:enable")
    assert world.owner.call("GET", JOBS) == {}


def test_without_billing_nothing_that_costs_is_served(world: World) -> None:
    world.owner.call("PUT", BILLING, {"billingAccountName": ""})
    assert reason(world.owner, JOBS) == (403, "BILLING_DISABLED")
    status, body = world.owner.ask("GET", OBJECTS)
    assert (status, body["error"]["errors"][0]["reason"]) == (403, "accountDisabled")
    assert world.owner.call("GET", PROJECT)
    info = world.owner.call("PUT", BILLING, {"billingAccountName": "billingAccounts/1"})
    assert info["billingEnabled"] is True
    assert world.owner.call("GET", JOBS) == {}
    assert world.owner.call("GET", OBJECTS)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", f"{VERTEX}:disable", {}), ("PUT", BILLING, {"billingAccountName": ""})],
)
def test_what_is_closed_stays_so_over_a_restart(
    tmp_path: Path, method: str, path: str, body: dict[str, str]
) -> None:
    with Emulator(tmp_path, trainer="nearest") as emulator:
        Wire(emulator.url).call(method, path, body)
    with Emulator(tmp_path, trainer="nearest") as emulator:
        assert Wire(emulator.url).refused("GET", JOBS)[0] == 403


def test_who_may_not_change_the_billing_cannot(world: World) -> None:
    assert world.worker.refused("PUT", BILLING, {"billingAccountName": ""})[0] == 403


def test_a_bucket_of_another_project_is_a_name_that_is_taken(world: World) -> None:
    body = {"name": "b-1"}
    mine = world.owner.refused("POST", "/storage/v1/b?project=vertune-local", body)
    other = world.owner.refused("POST", "/storage/v1/b?project=vertune-local-prod", body)
    assert (mine[0], "already own it" in mine[1]) == (409, True)
    assert (other[0], "select a different name" in other[1]) == (409, True)
