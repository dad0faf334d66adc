"""Endpoints through Google's client: what is deployed, and changing it."""

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import aiplatform_v1

from tests.emulator.vertex.place import Place
from tests.emulator.vertex.test_models import US, endpoints


def test_a_checkpoints_endpoint_says_what_it_serves(place: Place) -> None:
    job = place.tuned(epochs=2, tunedModelDisplayName="headlines", labels={"team": "search"})
    first = job["tunedModel"]["checkpoints"][0]

    endpoint = endpoints(place).get_endpoint(name=first["endpoint"])

    (deployed,) = endpoint.deployed_models
    assert f"{deployed.model}@{deployed.model_version_id}" == job["tunedModel"]["model"]
    assert deployed.checkpoint_id == "1"
    assert dict(endpoint.traffic_split) == {deployed.id: 100}
    assert endpoint.display_name == "headlines"
    assert dict(endpoint.labels) == {"team": "search", "local-stand-in": "nearest-example"}


def test_an_id_that_is_asked_for_is_given_once(place: Place) -> None:
    model, client = place.tuned()["tunedModel"]["model"], endpoints(place)
    endpoint = aiplatform_v1.Endpoint(display_name="mine")
    made = client.create_endpoint(parent=US, endpoint=endpoint, endpoint_id="mine").result()
    deployed = aiplatform_v1.DeployedModel(model=model, id="1")
    client.deploy_model(endpoint=made.name, deployed_model=deployed).result()

    with pytest.raises(Conflict):
        client.create_endpoint(parent=US, endpoint=endpoint, endpoint_id="mine")
    with pytest.raises(Conflict):
        client.deploy_model(endpoint=made.name, deployed_model=deployed)
    with pytest.raises(BadRequest, match="endpoint_id"):
        client.create_endpoint(parent=US, endpoint=endpoint, endpoint_id="Mine")

    assert made.name == f"{US}/endpoints/mine"
    assert [one.id for one in client.get_endpoint(name=made.name).deployed_models] == ["1"]


def test_another_checkpoint_is_deployed_by_hand(place: Place) -> None:
    job = place.tuned(epochs=2, spec={"exportLastCheckpointOnly": False})
    client, name = endpoints(place), job["tunedModel"]["endpoint"]
    (old,) = client.get_endpoint(name=name).deployed_models
    deployed = aiplatform_v1.DeployedModel(
        model=job["tunedModel"]["model"], checkpoint_id="1", display_name="first"
    )

    response = client.deploy_model(endpoint=name, deployed_model=deployed).result()
    client.undeploy_model(endpoint=name, deployed_model_id=old.id).result()

    (left,) = client.get_endpoint(name=name).deployed_models
    assert (left.id, left.checkpoint_id, left.display_name) == (
        response.deployed_model.id,
        "1",
        "first",
    )


def test_an_endpoint_is_created_updated_listed_and_deleted(place: Place) -> None:
    client = endpoints(place)
    wanted = aiplatform_v1.Endpoint(display_name="mine", labels={"team": "search"})

    endpoint = client.create_endpoint(parent=US, endpoint=wanted).result()
    endpoint.display_name, endpoint.description = "yours", "ignored"
    update = {"endpoint": endpoint, "update_mask": {"paths": ["display_name"]}}
    updated = client.update_endpoint(request=update)
    request = {"parent": US, "filter": 'display_name="yours"'}
    listed = [found.name for found in client.list_endpoints(request=request)]
    client.delete_endpoint(name=endpoint.name).result()

    assert (updated.display_name, updated.description) == ("yours", "")
    assert listed == [endpoint.name]
    assert list(client.list_endpoints(parent=US)) == []


def test_an_endpoint_that_serves_cannot_be_deleted(place: Place) -> None:
    name = place.tuned(epochs=1)["tunedModel"]["endpoint"]

    with pytest.raises(BadRequest, match="has deployed"):
        endpoints(place).delete_endpoint(name=name)


@pytest.mark.parametrize("checkpoint", ["9", "../1"])
def test_a_checkpoint_that_does_not_exist_is_not_deployed(place: Place, checkpoint: str) -> None:
    job = place.tuned(epochs=1)
    deployed = aiplatform_v1.DeployedModel(
        model=job["tunedModel"]["model"], checkpoint_id=checkpoint
    )

    with pytest.raises(BadRequest):
        endpoints(place).deploy_model(
            endpoint=job["tunedModel"]["endpoint"], deployed_model=deployed
        )


def test_a_model_is_deployed_only_in_its_own_location(place: Place) -> None:
    model = place.tuned(epochs=1)["tunedModel"]["model"]
    client = endpoints(place)
    elsewhere = client.create_endpoint(
        parent=US.replace("/us", "/eu"), endpoint=aiplatform_v1.Endpoint(display_name="x")
    ).result()

    with pytest.raises(BadRequest, match="same location"):
        client.deploy_model(
            endpoint=elsewhere.name, deployed_model=aiplatform_v1.DeployedModel(model=model)
        )


def test_what_is_not_there_is_not_found(place: Place) -> None:
    client = endpoints(place)
    name = place.tuned(epochs=1)["tunedModel"]["endpoint"]

    with pytest.raises(NotFound):
        client.get_endpoint(name=f"{US}/endpoints/888")
    with pytest.raises(NotFound):
        client.undeploy_model(endpoint=name, deployed_model_id="888")


def test_an_operation_may_be_polled_after_it_is_done(place: Place) -> None:
    client = endpoints(place)
    operation = client.create_endpoint(
        parent=US, endpoint=aiplatform_v1.Endpoint(display_name="x")
    ).operation

    polled = client.get_operation({"name": operation.name})
    _, plain = place.call("GET", f"v1/{operation.name}")

    assert polled.done
    assert polled == operation
    assert plain["response"]["displayName"] == "x"
    assert place.call("GET", f"ui/{US}/operations/55")[0] == 404
