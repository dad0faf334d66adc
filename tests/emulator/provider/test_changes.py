"""Changes: what the provider makes of new inputs, of others' changes, and of what it refuses."""

import threading
from typing import Any

import grpc
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from jobs.emulator.provider.client import Values
from jobs.emulator.provider.protocol import UNKNOWN
from tests.emulator.provider.engine import Engine, said
from tests.emulator.provider.samples import (
    ACCOUNT,
    ACCOUNT_MEMBER,
    ANN,
    BUCKET,
    BUCKET_MEMBER,
    POOL,
    POOL_PROVIDER,
    PROJECT_MEMBER,
    SAMPLES,
    SERVICE,
)
from tests.emulator.wire import Wire

STORAGE = "/storage/v1/b"
POLICY = "/v1/projects/vertune-local:getIamPolicy"


@pytest.fixture
def bucket() -> Values:
    return dict(SAMPLES[BUCKET][0])


def test_an_update_changes_the_bucket_and_only_where_it_must(
    engine: Engine, wire: Wire, bucket: Values
) -> None:
    made = engine.create(BUCKET, bucket)
    changed = bucket | {
        "labels": {"owner": "ann"},
        "lifecycleRules": [],
        "versioning": {"enabled": False},
    }
    assert sorted(engine.diff(made, changed).diffs) == ["labels", "lifecycleRules", "versioning"]
    after = engine.update(made, changed)
    stored = wire.call("GET", f"{STORAGE}/bucket-1")
    assert stored["labels"] == {"owner": "ann", "goog-pulumi-provisioned": "true"}
    assert not stored.get("lifecycle", {}).get("rule")
    assert stored["versioning"] == {"enabled": False}
    assert stored["softDeletePolicy"]["retentionDurationSeconds"] == "604800"
    assert after.state["labels"] == {"owner": "ann"}
    assert not engine.diff(after, changed).diffs


def test_what_the_service_filled_in_is_no_change_when_it_is_not_asked_for(
    engine: Engine, bucket: Values
) -> None:
    made = engine.create(BUCKET, bucket)
    found = engine.refresh(made)
    assert found is not None
    less = {name: bucket[name] for name in ("name", "location", "labels", "lifecycleRules")}
    assert not engine.diff(found, less).diffs


def test_a_refresh_tells_what_others_changed_and_leaves_their_labels_alone(
    engine: Engine, wire: Wire, bucket: Values
) -> None:
    made = engine.create(BUCKET, bucket)
    labels = {"team": "ads", "theirs": "x"}
    wire.call("PATCH", f"{STORAGE}/bucket-1", {"labels": labels, "lifecycle": None})
    found = engine.refresh(made)
    assert found is not None
    assert sorted(engine.diff(found, bucket).diffs) == ["labels", "lifecycleRules"]
    engine.update(found, bucket)
    stored = wire.call("GET", f"{STORAGE}/bucket-1")
    assert stored["labels"].items() >= {"team": "search", "theirs": "x"}.items()
    assert len(stored["lifecycle"]["rule"]) == 2


@pytest.mark.parametrize(
    ("type", "changed", "delete_first"),
    [
        (BUCKET, {"location": "europe-west4"}, True),
        (BUCKET, {"name": "bucket-2"}, False),
        (ACCOUNT, {"accountId": "tuner-2"}, False),
        (SERVICE, {"service": "storage.googleapis.com"}, False),
        (PROJECT_MEMBER, {"role": "roles/aiplatform.viewer"}, False),
        (PROJECT_MEMBER, {"member": UNKNOWN}, False),
        (BUCKET_MEMBER, {"bucket": "bucket-2"}, False),
        (ACCOUNT_MEMBER, {"role": "roles/iam.serviceAccountTokenCreator"}, False),
        (POOL, {"workloadIdentityPoolId": "other"}, False),
    ],
)
def test_what_cannot_be_changed_is_made_anew(
    engine: Engine, type: str, changed: Values, delete_first: bool
) -> None:
    inputs = SAMPLES[type][0]
    found = engine.diff(engine.create(type, inputs), inputs | changed)
    assert list(found.replaces) == list(changed)
    assert found.deleteBeforeReplace is delete_first


@pytest.mark.parametrize(
    ("type", "changed"),
    [
        (BUCKET, {"location": "US-CENTRAL1"}),
        (PROJECT_MEMBER, {"member": ANN.lower()}),
        (ACCOUNT, {"description": ""}),
    ],
)
def test_what_the_service_takes_for_the_same_is_no_change(
    engine: Engine, type: str, changed: Values
) -> None:
    inputs = SAMPLES[type][0]
    assert not engine.diff(engine.create(type, inputs), inputs | changed).diffs


def test_an_account_gets_new_words_and_is_switched_on_again(engine: Engine, wire: Wire) -> None:
    made = engine.create(ACCOUNT, SAMPLES[ACCOUNT][0])
    wanted = {"accountId": "tuner-1", "displayName": "New", "description": "Tunes."}
    assert engine.update(made, wanted).state["displayName"] == "New"
    stored = wire.call("GET", f"/v1/{made.id}")
    assert (stored["displayName"], stored["description"]) == ("New", "Tunes.")
    assert "disabled" not in stored


def test_a_provider_of_a_pool_gets_new_audiences(engine: Engine, wire: Wire) -> None:
    inputs = dict(SAMPLES[POOL_PROVIDER][0])
    made = engine.create(POOL_PROVIDER, inputs)
    wanted = inputs | {"oidc": inputs["oidc"] | {"allowedAudiences": ["a"]}}
    del wanted["attributeCondition"]
    engine.update(made, wanted)
    stored = wire.call("GET", f"/v1/{made.id}")
    assert stored["oidc"]["allowedAudiences"] == ["a"]
    assert "attributeCondition" not in stored


def test_a_bucket_with_objects_is_kept_unless_it_is_forced(
    engine: Engine, wire: Wire, bucket: Values
) -> None:
    made = engine.create(BUCKET, bucket)
    for content in ("first", "second"):
        path = f"/upload{STORAGE}/bucket-1/o?uploadType=media&name=ledger/a b.json"
        wire.call("POST", path, {"content": content})
    with pytest.raises(grpc.RpcError) as refused:
        engine.delete(made)
    assert "has no forceDestroy" in said(refused.value)
    assert engine.refresh(made) is not None
    forced = engine.update(made, bucket | {"forceDestroy": True})
    assert forced.state["forceDestroy"] is True
    engine.delete(forced)
    assert engine.refresh(forced) is None


def test_a_service_is_switched_off_only_when_asked(engine: Engine, wire: Wire) -> None:
    path = "/v1/projects/vertune-local/services/iam.googleapis.com"
    for off, state in ((False, "ENABLED"), (True, "DISABLED")):
        inputs = SAMPLES[SERVICE][0] | {"disableOnDestroy": off}
        engine.delete(engine.create(SERVICE, inputs))
        assert wire.call("GET", path)["state"] == state


def test_members_of_one_policy_made_at_once_are_all_in_it(engine: Engine, wire: Wire) -> None:
    members = [f"user:{number}@example.com" for number in range(12)]
    made: list[Any] = []

    def make(member: str) -> None:
        inputs = SAMPLES[PROJECT_MEMBER][0] | {"member": member}
        made.append(engine.create(PROJECT_MEMBER, inputs))

    def at_once(*threads: threading.Thread) -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    at_once(*(threading.Thread(target=make, args=[member]) for member in members))
    (binding,) = wire.call("POST", POLICY, {})["bindings"]
    assert binding["members"] == sorted(members)
    at_once(*(threading.Thread(target=engine.delete, args=[one]) for one in made))
    assert "bindings" not in wire.call("POST", POLICY, {})


def test_one_member_leaves_and_the_others_stay(engine: Engine, wire: Wire) -> None:
    condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    inputs = SAMPLES[PROJECT_MEMBER][0]
    plain = engine.create(PROJECT_MEMBER, inputs)
    conditional = engine.create(PROJECT_MEMBER, inputs | {"condition": condition})
    ben = engine.create(PROJECT_MEMBER, inputs | {"member": "user:ben@example.com"})
    assert len({plain.id, conditional.id, ben.id}) == 3
    engine.delete(plain)
    assert engine.refresh(plain) is None
    assert engine.refresh(conditional) is not None
    assert engine.refresh(ben) is not None


def test_a_member_that_does_not_exist_is_refused_in_the_services_words(engine: Engine) -> None:
    missing = "serviceAccount:none@vertune-local.iam.gserviceaccount.com"
    with pytest.raises(grpc.RpcError) as refused:
        engine.create(PROJECT_MEMBER, SAMPLES[PROJECT_MEMBER][0] | {"member": missing})
    assert "Service account none@vertune-local.iam.gserviceaccount.com does not exist." in said(
        refused.value
    )


def test_a_plan_of_what_is_not_known_yet_says_so(engine: Engine, bucket: Values) -> None:
    planned = engine.plan(BUCKET, bucket | {"labels": UNKNOWN, "name": UNKNOWN})
    assert planned["url"] == planned["effectiveLabels"] == UNKNOWN
    assert planned["location"] == "us-central1"
    assert engine.plan(ACCOUNT, {"accountId": UNKNOWN})["email"] == UNKNOWN


def test_a_plan_of_an_update_changes_nothing(engine: Engine, wire: Wire, bucket: Values) -> None:
    made = engine.create(BUCKET, bucket)
    planned = engine.update(made, bucket | {"labels": {"team": "ads"}}, preview=True)
    assert planned.state["effectiveLabels"]["team"] == "ads"
    assert planned.state["updated"] == UNKNOWN
    assert planned.state["selfLink"] == made.state["selfLink"]
    assert wire.call("GET", f"{STORAGE}/bucket-1")["labels"]["team"] == "search"


def test_inputs_are_checked_before_anything_is_made(engine: Engine, bucket: Values) -> None:
    del bucket["name"]
    rule = {"action": {"type": "Delete"}, "condition": {"sizeAboveBytes": 1}}
    faults = engine.check(BUCKET, bucket | {"website": {}, "lifecycleRules": [rule]})
    assert faults.keys() == {"name", "website", "lifecycleRules"}
    assert "does not serve 'website' of gcp:storage/bucket:Bucket" in faults["website"]
    assert engine.check(BUCKET, SAMPLES[BUCKET][0] | {"lifecycleRules": UNKNOWN}) == {}


def test_the_label_of_pulumi_can_be_left_out(engine: Engine, wire: Wire, bucket: Values) -> None:
    engine.configure(addPulumiAttributionLabel="false")
    engine.create(BUCKET, bucket)
    assert wire.call("GET", f"{STORAGE}/bucket-1")["labels"] == {"team": "search"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine: engine.create("gcp:pubsub/topic:Topic", {}),
        lambda engine: engine.look_up("gcp:compute/getZones:getZones", {}),
    ],
)
def test_what_is_not_served_is_refused_with_a_list_of_what_is(engine: Engine, ask: Any) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        ask(engine)
    assert "does not serve gcp:" in said(refused.value)
    assert "It serves: gcp:" in said(refused.value)


def test_projects_and_their_storage_agent_are_looked_up(engine: Engine) -> None:
    project = engine.look_up("gcp:organizations/getProject:getProject", {})
    assert (project["projectId"], project["number"]) == ("vertune-local", "0")
    agent = engine.look_up("gcp:storage/getProjectServiceAccount:getProjectServiceAccount", {})
    assert agent["member"] == "serviceAccount:" + agent["emailAddress"]
    with pytest.raises(grpc.RpcError) as refused:
        engine.look_up("gcp:organizations/getProject:getProject", {"projectId": "elsewhere"})
    assert "403" in said(refused.value)


def test_unknown_is_what_pulumi_calls_so() -> None:
    assert UNKNOWN == rpc.UNKNOWN


def test_provider_settings_are_taken_as_they_are(engine: Engine) -> None:
    news = provider_pb2.CheckRequest().news
    assert engine.stub.CheckConfig(provider_pb2.CheckRequest(news=news)).inputs == news
    none = provider_pb2.DiffResponse.DIFF_NONE
    assert engine.stub.DiffConfig(provider_pb2.DiffRequest()).changes == none
