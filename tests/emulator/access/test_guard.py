"""Guard: whose roles count where, under which conditions, and in which words a call is refused."""

import time

import pytest
from google.api_core.exceptions import Forbidden
from google.cloud.storage import Client
from google.oauth2.credentials import Credentials

from jobs.emulator import tokens
from tests.emulator.access.world import ACCOUNT, BUCKET, EMAIL, PROJECT, World
from tests.emulator.wire import Wire

OBJECTS = f"{BUCKET}/o"
READER = "roles/storage.objectViewer"
OWNER = "owner@vertune-local.iam.gserviceaccount.com"
LEDGER = "resource.name.startsWith('projects/_/buckets/b-1/objects/ledger/')"
JOBS = f"{PROJECT}/locations/us-central1/tuningJobs"


def test_storage_says_who_lacks_what(world: World) -> None:
    status, message = world.worker.refused("GET", f"{OBJECTS}/x")
    assert (status, message) == (
        403,
        f"{EMAIL} does not have storage.objects.get access to the Google Cloud Storage object."
        " Permission 'storage.objects.get' denied on resource (or it may not exist).",
    )


def test_every_other_service_says_what_is_lacking_where(world: World) -> None:
    status, answer = world.worker.ask("POST", JOBS, {})
    error = answer["error"]
    assert (status, error["status"]) == (403, "PERMISSION_DENIED")
    place = "projects/vertune-local/locations/us-central1"
    assert error["message"] == (
        "Permission 'aiplatform.tuningJobs.create' denied on resource"
        f" '//aiplatform.googleapis.com/{place}' (or it may not exist)."
    )
    assert error["details"][0]["metadata"] == {
        "permission": "aiplatform.tuningJobs.create",
        "resource": place,
    }


def test_a_role_in_the_bucket_counts_in_that_bucket_only(world: World) -> None:
    world.owner.call("POST", "/storage/v1/b?project=vertune-local", {"name": "b-2"})
    world.bind_in_bucket(READER)
    assert world.worker.call("GET", OBJECTS)
    assert world.worker.refused("GET", "/storage/v1/b/b-2/o")[0] == 403
    assert world.worker.refused("GET", "/storage/v1/b/b-3/o")[0] == 404


def test_a_role_in_the_project_counts_in_all_its_buckets(world: World) -> None:
    world.bind(READER)
    assert world.worker.call("GET", OBJECTS)
    assert world.worker.refused("POST", JOBS)[0] == 403


def test_basic_roles_reach_objects_through_the_buckets_own_policy(world: World) -> None:
    world.bind("roles/viewer")
    assert world.worker.call("GET", OBJECTS)
    world.bind_in_bucket()
    assert world.worker.refused("GET", OBJECTS)[0] == 403


def test_overwriting_needs_the_permission_to_delete(world: World) -> None:
    world.bind("roles/storage.objectCreator")
    assert world.upload("a")[0] == 200
    status, answer = world.upload("a")
    assert (status, "'storage.objects.delete' denied" in answer["error"]["message"]) == (403, True)
    assert world.upload("a", "&ifGenerationMatch=0")[0] == 412
    world.bind("roles/storage.objectUser")
    assert world.upload("a")[0] == 200


def test_a_condition_limits_a_role_to_what_it_names(world: World) -> None:
    world.bind_in_bucket("roles/storage.objectUser", condition=LEDGER)
    assert world.upload("ledger/a")[0] == 200
    assert world.upload("datasets/a")[0] == 403
    assert world.worker.call("GET", f"{OBJECTS}/ledger%2Fa")


def test_a_condition_can_tell_which_names_a_list_is_of(world: World) -> None:
    listed = "api.getAttribute('storage.googleapis.com/objectListPrefix', '')"
    world.bind_in_bucket(READER, condition=f"{LEDGER} || {listed}.startsWith('ledger/')")
    for name in ("ledger/a", "datasets/a"):
        world.upload(name, as_=world.owner)
    assert world.worker.call("GET", f"{OBJECTS}?prefix=ledger/")["items"][0]["name"] == "ledger/a"
    assert world.worker.call("GET", f"{OBJECTS}/ledger%2Fa")
    for other in (
        OBJECTS,
        f"{OBJECTS}?prefix=ledger",
        f"{OBJECTS}?prefix=",
        f"{OBJECTS}/datasets%2Fa",
    ):
        assert world.worker.refused("GET", other)[0] == 403


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("request.time < timestamp('2199-01-01T00:00:00Z')", True),
        ("request.time > timestamp('2199-01-01T00:00:00Z')", False),
        ("resource.type == 'storage.googleapis.com/Bucket'", True),
        ("resource.service == 'iam.googleapis.com'", False),
        ("resource.nothing == 'x'", False),
        ("api.getAttribute('nothing.of/the-call', 'x') == 'x'", True),
        ("this is no expression", False),
    ],
)
def test_a_role_counts_only_while_its_condition_holds(
    world: World, condition: str, holds: bool
) -> None:
    world.bind_in_bucket(READER, condition=condition)
    assert world.worker.ask("GET", OBJECTS)[0] == (200 if holds else 403)


def test_a_copy_needs_to_read_and_to_write(world: World) -> None:
    world.upload("a", as_=world.owner)
    copy = ("POST", f"{OBJECTS}/a/copyTo/b/b-1/o/c")
    world.bind("roles/storage.objectCreator")
    assert "storage.objects.get" in world.worker.refused(*copy)[1]
    world.bind(READER)
    assert "storage.objects.create" in world.worker.refused(*copy)[1]
    world.bind(READER, "roles/storage.objectCreator")
    assert world.worker.call(*copy)


def test_the_permission_test_tells_what_one_has(world: World) -> None:
    test = f"{BUCKET}/iam/testPermissions?permissions=storage.objects.get"
    test += "&permissions=storage.objects.create"
    assert "permissions" not in world.worker.call("GET", test)
    world.bind_in_bucket(READER)
    assert world.worker.call("GET", test)["permissions"] == ["storage.objects.get"]


def test_a_deleted_role_of_a_projects_own_gives_nothing(world: World) -> None:
    world.give(["storage.objects.list"])
    assert world.worker.call("GET", OBJECTS)
    world.owner.call("DELETE", f"{PROJECT}/roles/given")
    assert world.worker.refused("GET", OBJECTS)[0] == 403


def test_a_role_unknown_here_gives_nothing_and_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.bind("roles/storage.noSuchRole")
    assert world.worker.refused("GET", OBJECTS)[0] == 403
    assert "roles/storage.noSuchRole is bound, but the emulator does not know it" in caplog.text


def test_everyone_who_has_a_token_is_among_all_authenticated(world: World) -> None:
    policy = {"bindings": [{"role": READER, "members": ["allAuthenticatedUsers"]}]}
    world.owner.call("PUT", f"{BUCKET}/iam", policy)
    assert world.worker.call("GET", OBJECTS)


def test_a_number_names_the_same_project(world: World) -> None:
    world.bind("roles/aiplatform.viewer")
    assert world.worker.call("GET", "/v1/projects/0/locations/us-central1/tuningJobs") == {}


@pytest.mark.parametrize("act", [("DELETE", ACCOUNT), ("POST", f"{ACCOUNT}:disable")])
def test_the_token_of_a_deleted_or_disabled_account_opens_nothing(
    world: World, act: tuple[str, str]
) -> None:
    world.bind(READER)
    world.owner.call(*act)
    status, message = world.worker.refused("GET", OBJECTS)
    assert status == 401
    assert f"{EMAIL} is deleted or disabled" in message


@pytest.mark.parametrize("token", ["x", "local-", "ya29.abc", "a.b.c"])
def test_an_unknown_token_opens_nothing(world: World, token: str) -> None:
    assert Wire(world.owner.url, token).refused("GET", OBJECTS)[0] == 401


def test_an_expired_token_opens_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.bind(READER)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    assert world.worker.refused("GET", OBJECTS)[0] == 401


@pytest.mark.parametrize("token", ["", "local", tokens.issue(OWNER)])
def test_the_owner_may_everything(world: World, token: str) -> None:
    assert Wire(world.owner.url, token).ask("DELETE", BUCKET)[0] == 204


def test_each_call_of_a_batch_is_asked_for(world: World) -> None:
    world.upload("a", as_=world.owner)
    options = {"api_endpoint": world.owner.url}
    token = Credentials(token=world.worker.token)
    refused = pytest.raises(Forbidden, match=r"storage\.objects\.delete")
    client = Client("vertune-local", credentials=token, client_options=options)
    with client, refused, client.batch():
        client.bucket("b-1").delete_blob("a")
    assert world.owner.call("GET", f"{OBJECTS}/a")
