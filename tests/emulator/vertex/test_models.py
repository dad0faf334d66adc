"""The model registry through Google's clients: versions, aliases, checkpoints, copies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1

from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import load_catalog
from tests.emulator.vertex.place import BASE, HERE, Place, order

US = "projects/0/locations/us"


def registry(place: Place) -> aiplatform_v1.ModelServiceClient:
    return aiplatform_v1.ModelServiceClient(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options={"api_endpoint": place.url},
    )


def endpoints(place: Place) -> aiplatform_v1.EndpointServiceClient:
    return aiplatform_v1.EndpointServiceClient(
        credentials=AnonymousCredentials(),
        transport="rest",
        client_options={"api_endpoint": place.url},
    )


def tuned_model(place: Place, **fields: Any) -> str:
    """The name, without a version, of a new tuned model."""
    name: str = place.tuned(epochs=2, **fields)["tunedModel"]["model"]
    return name.partition("@")[0]


def undeploy_all(place: Place) -> None:
    client = endpoints(place)
    for endpoint in client.list_endpoints(parent=US):
        for deployed in endpoint.deployed_models:
            client.undeploy_model(
                endpoint=endpoint.name, deployed_model_id=deployed.id, traffic_split={}
            ).result()


def test_a_tuned_model_says_what_it_is_and_where_it_came_from(place: Place) -> None:
    job = place.tuned(tunedModelDisplayName="headlines", labels={"team": "search"})

    model = registry(place).get_model(name=job["tunedModel"]["model"])

    assert model.name == job["tunedModel"]["model"].removesuffix("@1")
    assert (model.version_id, list(model.version_aliases)) == ("1", ["default"])
    assert model.display_name == "headlines"
    assert "simulation" in model.description
    assert dict(model.labels) == {
        "team": "search",
        "tune-type": "supervised",
        "local-stand-in": "nearest-example",
    }
    source = model.base_model_source.genie_source.base_model_uri
    assert source == f"publishers/google/models/{BASE}"
    assert len(model.deployed_models) == len(job["tunedModel"]["checkpoints"])


@pytest.mark.parametrize(("region", "location"), [("us-central1", "us"), ("europe-west4", "eu")])
def test_a_tuned_model_lives_where_its_base_is_served(
    place: Place, region: str, location: str
) -> None:
    path = f"v1/projects/vertune-local/locations/{region}/tuningJobs"
    job = place.finished(place.call("POST", path, order(epochs=1))[1]["name"])

    assert f"/locations/{location}/models/" in job["tunedModel"]["model"]
    assert f"/locations/{location}/endpoints/" in job["tunedModel"]["endpoint"]


def test_every_tuning_from_a_base_is_a_new_model_at_version_one(place: Place) -> None:
    first, second = tuned_model(place), tuned_model(place)

    assert first != second
    assert [model.name for model in registry(place).list_models(parent=US)] == [second, first]


def test_a_version_is_found_by_number_and_alias_and_without_either(place: Place) -> None:
    name = tuned_model(place)
    client = registry(place)

    found = [client.get_model(name=f"{name}{at}") for at in ("", "@1", "@default")]

    assert {model.version_id for model in found} == {"1"}
    for missing in (f"{name}@2", f"{name}@prod", f"{US}/models/777"):
        with pytest.raises(NotFound):
            client.get_model(name=missing)


def test_the_genai_client_reads_updates_lists_and_deletes_tuned_models(place: Place) -> None:
    name = tuned_model(place)
    client = place.client("us")

    model = client.models.get(model=f"{name}@1")
    updated = client.models.update(
        model=name, config={"display_name": "better", "default_checkpoint_id": "1"}
    )
    listed = list(client.models.list(config={"query_base": False, "page_size": 1}))
    undeploy_all(place)
    client.models.delete(model=name)

    assert [point.checkpoint_id for point in model.checkpoints or ()] == ["1", "2"]
    assert (updated.display_name, updated.default_checkpoint_id) == ("better", "1")
    assert [model.name for model in listed] == [name]
    assert list(registry(place).list_models(parent=US)) == []


def test_an_update_changes_only_what_its_mask_names(place: Place) -> None:
    name = tuned_model(place, tunedModelDisplayName="headlines")
    model = aiplatform_v1.Model(name=name, display_name="ignored", default_checkpoint_id="1")

    updated = registry(place).update_model(
        request={"model": model, "update_mask": {"paths": ["default_checkpoint_id"]}}
    )

    assert (updated.display_name, updated.default_checkpoint_id) == ("headlines", "1")


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (aiplatform_v1.Model(default_checkpoint_id="9"), "default_checkpoint_id"),
        (aiplatform_v1.Model(labels={"Team": "x"}), "labels"),
        (aiplatform_v1.Model(version_id="7"), "version_id"),
    ],
)
def test_an_update_that_makes_no_sense_is_refused(
    place: Place, model: aiplatform_v1.Model, path: str
) -> None:
    model.name = tuned_model(place)

    with pytest.raises(BadRequest):
        registry(place).update_model(request={"model": model, "update_mask": {"paths": [path]}})


def test_checkpoints_of_a_version_are_listed_with_epoch_and_step(place: Place) -> None:
    name = tuned_model(place)

    found = list(registry(place).list_model_version_checkpoints(name=f"{name}@1"))

    assert [(point.checkpoint_id, point.epoch, point.step) for point in found] == [
        ("1", 1, 2),
        ("2", 2, 4),
    ]


def test_an_alias_moves_from_version_to_version(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    request = aiplatform_v1.CopyModelRequest(parent=US, source_model=f"{name}@1", parent_model=name)

    copy = client.copy_model(request=request).result()
    client.merge_version_aliases(name=f"{name}@1", version_aliases=["prod", "old"])
    client.merge_version_aliases(name=f"{name}@2", version_aliases=["prod", "default"])
    client.merge_version_aliases(name=f"{name}@1", version_aliases=["-old"])
    versions = {
        v.version_id: list(v.version_aliases) for v in client.list_model_versions(name=name)
    }

    assert (copy.model, copy.model_version_id) == (name, "2")
    assert versions == {"1": [], "2": ["prod", "default"]}
    assert client.get_model(name=f"{name}@prod").version_id == "2"


@pytest.mark.parametrize("aliases", [["-default"], ["Upper"], ["1st"], []])
def test_an_alias_that_cannot_be_is_refused(place: Place, aliases: list[str]) -> None:
    name = tuned_model(place)

    with pytest.raises(BadRequest):
        registry(place).merge_version_aliases(name=f"{name}@1", version_aliases=aliases)


def test_a_copy_answers_where_it_is_deployed(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    europe = US.replace("/us", "/eu")
    request = aiplatform_v1.CopyModelRequest(parent=europe, source_model=name, model_id="copied")

    copy = client.copy_model(request=request).result()
    service = endpoints(place)
    endpoint = service.create_endpoint(
        parent=europe, endpoint=aiplatform_v1.Endpoint(display_name="copy")
    ).result()
    deployed = aiplatform_v1.DeployedModel(model=f"{copy.model}@1")
    service.deploy_model(endpoint=endpoint.name, deployed_model=deployed, traffic_split={}).result()
    answer = place.client("eu").models.generate_content(
        model=endpoint.name, contents="galaxy news 2"
    )

    assert copy.model == f"{europe}/models/copied"
    assert answer.text == "science"


def test_of_two_copies_with_one_id_the_second_is_refused(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    request = aiplatform_v1.CopyModelRequest(parent=US, source_model=name, model_id="copied")
    client.copy_model(request=request).result()

    with pytest.raises(Conflict, match="already exists"):
        client.copy_model(request=request)

    copy = client.get_model(name=f"{US}/models/copied")
    assert copy.model_source_info.copy
    assert not client.get_model(name=name).model_source_info.copy
    assert copy.labels == client.get_model(name=name).labels
    assert list(copy.deployed_models) == []


KEY = "projects/any/locations/{}/keyRings/ring/cryptoKeys/key"


def test_where_the_base_model_allows_it_a_key_is_kept_but_never_copied(
    tmp_path: Path, nearest: TrainerClient
) -> None:
    catalog = load_catalog()
    allowing = replace(catalog.models[BASE], customer_managed_keys=True)
    keyed = replace(catalog, models={BASE: allowing})
    key, other = KEY.format("us-central1"), KEY.format("us")
    with Place(tmp_path / "state", nearest, catalog=keyed) as place:
        refused = place.call(
            "POST", f"v1/{HERE}/tuningJobs", order(encryptionSpec={"kmsKeyName": other})
        )
        job, client = place.tuned(encryptionSpec={"kmsKeyName": key}), registry(place)
        source = job["tunedModel"]["model"]
        copies = [
            client.copy_model(
                aiplatform_v1.CopyModelRequest(parent=US, source_model=source, **more)
            ).result()
            for more in ({}, {"encryption_spec": {"kms_key_name": other}})
        ]
        plain, with_key = (client.get_model(name=copy.model) for copy in copies)
        assert client.get_model(name=source).encryption_spec.kms_key_name == key
    assert (refused[0], "in location us-central1" in refused[1]["error"]["message"]) == (400, True)
    assert job["encryptionSpec"] == {"kmsKeyName": key}
    assert plain.encryption_spec.kms_key_name == ""
    assert with_key.encryption_spec.kms_key_name == other


@pytest.mark.parametrize(
    ("parent", "id", "why"),
    [(US, "1st", "Invalid model_id"), (US.replace("/0/", "/1/"), "x", "in the same Project")],
)
def test_a_copy_that_cannot_be_is_refused(place: Place, parent: str, id: str, why: str) -> None:
    request = aiplatform_v1.CopyModelRequest(
        parent=parent, source_model=tuned_model(place), model_id=id
    )
    with pytest.raises(BadRequest, match=why):
        registry(place).copy_model(request=request)


def test_a_deployed_model_cannot_be_deleted(place: Place) -> None:
    name, client = tuned_model(place), registry(place)

    with pytest.raises(BadRequest, match="undeploy it first"):
        client.delete_model(name=name)
    undeploy_all(place)
    client.delete_model(name=name).result()

    with pytest.raises(NotFound):
        client.get_model(name=name)


def test_what_a_deleted_model_learnt_is_removed_unless_a_copy_has_it(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    request = aiplatform_v1.CopyModelRequest(parent=US, source_model=name, model_id="copy")
    copy = client.copy_model(request=request).result().model
    undeploy_all(place)

    written = files(place)
    client.delete_model(name=name).result()
    shared = files(place)
    client.delete_model(name=copy).result()

    assert written == shared != []
    assert files(place) == []


def files(place: Place) -> list[Path]:
    """Whatever tunings have written."""
    return sorted(path for path in (place.state.folder / "tuned").rglob("*") if path.is_file())


def test_a_version_is_deleted_but_not_the_default_one(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    request = aiplatform_v1.CopyModelRequest(parent=US, source_model=name, parent_model=name)
    client.copy_model(request=request).result()
    undeploy_all(place)

    with pytest.raises(BadRequest, match="default"):
        client.delete_model_version(name=f"{name}@1")
    client.delete_model_version(name=f"{name}@2").result()

    assert [version.version_id for version in client.list_model_versions(name=name)] == ["1"]


def test_versions_are_numbered_on_after_one_was_deleted(place: Place) -> None:
    name, client = tuned_model(place), registry(place)
    request = aiplatform_v1.CopyModelRequest(parent=US, source_model=name, parent_model=name)
    client.copy_model(request=request).result()
    client.delete_model_version(name=f"{name}@2").result()

    assert client.copy_model(request=request).result().model_version_id == "3"


def test_models_are_filtered_by_label(place: Place) -> None:
    name = tuned_model(place, labels={"spec": "headlines"})
    tuned_model(place)

    request = {"parent": US, "filter": "labels.spec=headlines"}

    assert [model.name for model in registry(place).list_models(request=request)] == [name]
