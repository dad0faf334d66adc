"""Registry: tuned models by their whole names, and the alias that only one version has."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from jobs.emulator.emulator import Emulator
from jobs.emulator.faults.rule import Rule
from jobs.runner.errors import Passing, RemoteError, Unreachable
from jobs.runner.registry import Endpoint, Model, Registry
from tests.conftest import Repository
from tests.runner import lines, shell
from tests.runner.asking import answer
from tests.runner.lines import line
from tests.runner.tuned import place_of, place_with

GONE = "projects/vertune-local/locations/us/models/7@1"


@pytest.fixture
def model(provisioned: Repository) -> tuple[Registry, Model]:
    place, (entry,) = place_with(provisioned, "one")
    found = place.registry.model(entry.tuned_model or "")
    assert found is not None
    return place.registry, found


def test_a_tuned_model_is_found_with_its_version_and_labels(model: tuple[Registry, Model]) -> None:
    _, found = model
    assert found.name.endswith("@1")
    assert found.aliases == ("default",)
    assert found.labels["vertune-spec"] == "one"


def test_an_alias_comes_and_goes_however_often_it_is_asked_for(
    model: tuple[Registry, Model],
) -> None:
    registry, found = model
    both = replace(found, aliases=("default", "vertune-served"))
    for _ in range(2):
        registry.give(found, "vertune-served")
        assert registry.model(found.name) == both
    for _ in range(2):
        registry.take(both, "vertune-served")
        assert registry.model(found.name) == found


def test_what_is_not_there_is_none_and_not_an_error(model: tuple[Registry, Model]) -> None:
    registry, found = model
    assert registry.model(GONE) is None
    assert registry.model(found.name.replace("@1", "@2")) is None


def test_a_refusal_is_said_in_the_services_words(
    model: tuple[Registry, Model], emulator: Emulator
) -> None:
    registry, found = model
    emulator.faults.set(Rule("no", path="*:mergeVersionAliases", status=403))
    with pytest.raises(RemoteError, match=r"moving an alias of .*: 403 PERMISSION_DENIED"):
        registry.give(found, "vertune-served")


@pytest.mark.parametrize("fault", [{"status": 503}, {"cut": "rst"}, {"malformed": True}])
def test_what_may_pass_is_asked_again(
    model: tuple[Registry, Model], emulator: Emulator, fault: dict[str, object]
) -> None:
    registry, found = model
    emulator.faults.set(Rule("once", path="*/models/*", nth=1, **fault))  # type: ignore[arg-type]
    assert registry.model(found.name) == found
    assert [rule["hits"] for rule in emulator.faults.listed()] == [1]


@pytest.mark.usefixtures("soon_done")
def test_what_does_not_pass_is_given_up(model: tuple[Registry, Model], emulator: Emulator) -> None:
    registry, found = model
    emulator.faults.set(Rule("down", path="*/models/*", status=503))
    with pytest.raises(Passing, match="run this again in a while"):
        registry.model(found.name)


def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(Unreachable, match="nobody listens there"):
        Registry(lines.nobody()).model(GONE)


def test_without_credentials_the_login_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell.signed_out(monkeypatch, tmp_path)
    with pytest.raises(Unreachable, match="gcloud auth application-default login"):
        Registry(None).model(GONE)


def test_a_model_is_deleted_as_soon_as_the_service_takes_it_for_undeployed(
    model: tuple[Registry, Model], emulator: Emulator
) -> None:
    registry, found = model
    emulator.faults.set(Rule("seen", method="DELETE", path="*/models/*", delay=0.001))
    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(registry.delete_model, found)
        emulator.faults.wait("seen")
        for name in found.endpoints:
            endpoint = registry.endpoint(name)
            assert endpoint is not None
            for id in endpoint.deployed:
                registry.undeploy(endpoint, id)
        deleting.result()
    assert registry.model(found.name) is None
    registry.delete_model(found)  # it is gone, as it should be


OPERATION = {"name": "projects/1/locations/us/operations/5"}
ENDPOINT = Endpoint("projects/1/locations/us/endpoints/8", {}, {"1": GONE})


def test_an_operation_is_waited_for_and_its_failure_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTUNE_PATIENCE", "0.1")
    done = OPERATION | {"done": True}
    with lines.saying(answer(OPERATION), answer(OPERATION), answer(done)) as url:
        Registry(url).delete_endpoint(ENDPOINT)
    failed = done | {"error": {"code": 13, "message": "out of luck"}}
    with (
        lines.saying(answer(OPERATION), answer(failed)) as url,
        pytest.raises(RemoteError, match=r"deleting .*endpoints/8: 409 code 13: out of luck"),
    ):
        Registry(url).delete_endpoint(ENDPOINT)


def test_an_operation_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTUNE_PATIENCE", "0.003")
    with (
        lines.saying(answer(OPERATION)) as url,
        pytest.raises(Unreachable, match="still under way; run this again"),
    ):
        Registry(url).undeploy(ENDPOINT, "1")


def test_only_a_version_goes_where_there_are_others(
    model: tuple[Registry, Model], emulator: Emulator
) -> None:
    registry, found = model
    whole = found.name.partition("@")[0]
    place, _, _ = whole.rpartition("/models/")
    body = json.dumps({"sourceModel": found.name, "parentModel": whole}).encode()
    copy = Request(f"{emulator.url}/v1/{place}/models:copy", body, method="POST")
    copy.add_header("Authorization", "Bearer local")
    with urlopen(copy) as answered:
        assert answered.status == 200
    second = registry.model(f"{whole}@2")
    assert second is not None
    registry.delete_model(second)
    assert registry.model(f"{whole}@2") is None
    assert registry.model(found.name) == found


# Lists


def test_lists_have_every_page() -> None:
    first = {"models": [{"name": "m/1", "versionId": "1"}], "nextPageToken": "a/b="}
    last = {"models": [{"name": "m/2", "versionId": "3", "versionAliases": ["x"]}]}
    with lines.saying(answer(first), answer(last)) as url, line(url) as way:
        found = Registry(way.url).models("projects/p/locations/us")
    assert [(model.name, model.aliases) for model in found] == [("m/1@1", ()), ("m/2@3", ("x",))]
    assert way.asked[1].endswith(
        "/v1/projects/p/locations/us/models?pageSize=100&pageToken=a%2Fb%3D"
    )


def test_an_empty_list_is_one(provisioned: Repository) -> None:
    registry = place_of(provisioned).registry
    assert registry.models("projects/vertune-local/locations/us") == []
    assert registry.endpoints("projects/vertune-local/locations/us") == []


def test_endpoints_say_what_is_deployed_to_them(provisioned: Repository) -> None:
    place, (entry,) = place_with(provisioned, "one")
    found = {one.name: one for one in place.registry.endpoints("projects/0/locations/us")}
    assert list(found[str(entry.endpoint)].deployed.values()) == [entry.tuned_model]
    assert place.registry.endpoint(str(entry.endpoint)) == found[str(entry.endpoint)]
    assert place.registry.endpoint(f"{entry.endpoint}0") is None
    listed = place.registry.models("projects/0/locations/us")
    assert [model.name for model in listed] == [entry.tuned_model]
